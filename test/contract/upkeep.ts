import { expect, test } from "bun:test";
import type { AccountBackEnd } from "./account-store.ts";
import { account, DAY_MS, device, HOUR_MS, invitation, NOW_MS, randomBytes } from "./samples.ts";

/** Blocks, password resets, the generation, sweeping and checking. */
export function upkeepContract({ name: backEnd, place }: AccountBackEnd): void {
  const title = (claim: string) => `AccountStore (${backEnd}): ${claim}`;

  test(title("a block holds in one direction, until it is removed"), async () => {
    await using at = await place();
    const [{ blocks }, other] = at.nodes;
    const [ana, ben, cyd] = [randomBytes(16), randomBytes(16), randomBytes(16)] as const;
    await blocks.add(ana, ben);
    await blocks.add(ana, ben);
    await blocks.add(ana, cyd);
    expect(await other.blocks.isBlocked(ana, ben)).toBe(true);
    expect(await other.blocks.isBlocked(ben, ana)).toBe(false);
    expect(new Set(await other.blocks.list(ana))).toEqual(new Set([ben, cyd]));
    expect(await other.blocks.list(ben)).toEqual([]);
    expect(await blocks.remove(ana, ben)).toBe(true);
    expect(await blocks.remove(ana, ben)).toBe(false);
    expect(await other.blocks.list(ana)).toEqual([cyd]);
  });

  test(title("a password reset is redeemed once, however many try at once"), async () => {
    await using at = await place();
    const reset = { tokenHash: randomBytes(32), userId: randomBytes(16), expiresAtMs: NOW_MS + HOUR_MS };
    await at.nodes[0].resets.create(reset);
    const attempts = Array.from({ length: 10 }, (_, index) =>
      at.nodes[index % 2 === 0 ? 0 : 1].resets.redeem(reset.tokenHash, NOW_MS),
    );
    const winners = (await Promise.all(attempts)).filter((userId) => userId !== null);
    expect(winners).toEqual([reset.userId]);
  });

  test(title("a password reset that is unknown, expired or cancelled redeems nothing"), async () => {
    await using at = await place();
    const [{ resets }, other] = at.nodes;
    const ana = randomBytes(16);
    const ben = randomBytes(16);
    const [anas, bens] = [randomBytes(32), randomBytes(32)] as const;
    await resets.create({ tokenHash: anas, userId: ana, expiresAtMs: NOW_MS + HOUR_MS });
    await resets.create({ tokenHash: bens, userId: ben, expiresAtMs: NOW_MS + HOUR_MS });
    expect(await resets.redeem(randomBytes(32), NOW_MS)).toBeNull();
    expect(await resets.redeem(anas, NOW_MS + HOUR_MS)).toBeNull();
    await other.resets.cancel(ana);
    expect(await resets.redeem(anas, NOW_MS)).toBeNull();
    expect(await resets.redeem(bens, NOW_MS)).toEqual(ben);
  });

  test(title("the generation only rises, and above what it is told"), async () => {
    await using at = await place();
    const [one, two] = at.nodes;
    const first = await one.generation();
    expect(await two.bumpGeneration()).toBe(first + 1);
    expect(await one.bumpGeneration(40)).toBe(41);
    expect(await two.bumpGeneration(7)).toBe(42);
    expect(await one.generation()).toBe(42);
  });

  test(title("sweep() drops what has expired and keeps what has not"), async () => {
    await using at = await place();
    const [store, other] = at.nodes;
    const ana = account();
    const old = invitation({ expiresAtMs: NOW_MS });
    const fresh = invitation();
    await store.invitations.create(old);
    await store.invitations.create(fresh);
    const [gone, present] = [device(ana.userId), device(ana.userId)] as const;
    await store.accounts.create(ana, { inviteId: fresh.inviteId });
    await store.devices.enrol(gone);
    await store.devices.enrol(present);
    await store.devices.revoke(ana.userId, gone.deviceId, NOW_MS - DAY_MS);
    const token = { tokenHash: randomBytes(32), userId: ana.userId, expiresAtMs: NOW_MS + 1 };
    await store.resets.create(token);
    await store.sweep(NOW_MS);
    expect(await other.invitations.find(old.inviteId, NOW_MS - DAY_MS)).toBeNull();
    expect((await other.invitations.find(fresh.inviteId, NOW_MS))?.spent).toBe(1);
    expect(await other.devices.find(gone.deviceId)).toBeNull();
    expect((await other.devices.find(present.deviceId))?.revokedAtMs).toBeNull();
    expect(await other.resets.redeem(token.tokenHash, NOW_MS)).toEqual(ana.userId);
    expect((await other.accounts.find("ana"))?.userId).toEqual(ana.userId);
  });

  test(title("a redeemed reset stays redeemed across a sweep"), async () => {
    await using at = await place();
    const [{ resets }, other] = at.nodes;
    const token = { tokenHash: randomBytes(32), userId: randomBytes(16), expiresAtMs: NOW_MS + HOUR_MS };
    await resets.create(token);
    expect(await resets.redeem(token.tokenHash, NOW_MS)).toEqual(token.userId);
    await other.sweep(NOW_MS + HOUR_MS - 1);
    expect(await other.resets.redeem(token.tokenHash, NOW_MS)).toBeNull();
    await other.sweep(NOW_MS + HOUR_MS);
    expect(await other.resets.redeem(token.tokenHash, NOW_MS)).toBeNull();
  });

  test(title("check() of a store in use finds no problem"), async () => {
    await using at = await place();
    const ana = account();
    await at.nodes[0].accounts.create(ana, "open");
    await at.nodes[0].devices.enrol(device(ana.userId));
    expect(await at.nodes[1].check()).toEqual([]);
  });
}
