import { expect, test } from "bun:test";
import type { AccountBackEnd } from "./account-store.ts";
import { account, codeOfRejection, DAY_MS, invitation, NOW_MS, randomBytes } from "./samples.ts";

export function invitationsContract({ name: backEnd, place }: AccountBackEnd): void {
  const title = (claim: string) => `AccountStore (${backEnd}): ${claim}`;

  test(title("an invitation is found with what it was made of, unspent"), async () => {
    await using at = await place();
    const fromAna = invitation({ uses: 10, createdBy: randomBytes(16) });
    await at.nodes[0].invitations.create(fromAna);
    expect(await at.nodes[1].invitations.find(fromAna.inviteId, NOW_MS)).toEqual({ ...fromAna, spent: 0 });
    expect(await at.nodes[1].invitations.find(randomBytes(32), NOW_MS)).toBeNull();
  });

  test(title("an invitation admits as many accounts as it has uses, then refuses"), async () => {
    await using at = await place();
    const { inviteId } = invitation();
    await at.nodes[0].invitations.create(invitation({ inviteId, uses: 3 }));
    for (const name of ["ana", "ben", "cyd"]) await at.nodes[0].accounts.create(account({ name }), { inviteId });
    expect(await codeOfRejection(at.nodes[1].accounts.create(account({ name: "dan" }), { inviteId }))).toBe(
      "bad-invite",
    );
    expect((await at.nodes[1].invitations.find(inviteId, NOW_MS))?.spent).toBe(3);
    expect(await at.nodes[1].accounts.find("dan")).toBeNull();
  });

  test(
    title("bad input 68: a guessed, expired or spent invitation is refused before the name is looked at"),
    async () => {
      await using at = await place();
      const [{ accounts, invitations }] = at.nodes;
      const expired = invitation({ expiresAtMs: NOW_MS });
      const spent = invitation();
      await invitations.create(expired);
      await invitations.create(spent);
      await accounts.create(account(), { inviteId: spent.inviteId });
      for (const inviteId of [randomBytes(32), expired.inviteId, spent.inviteId]) {
        for (const name of ["ana", "ben"]) {
          expect(await codeOfRejection(accounts.create(account({ name }), { inviteId }))).toBe("bad-invite");
        }
      }
      expect(await accounts.find("ben")).toBeNull();
    },
  );

  test(title("a sign-up that fails for its name leaves the invitation unspent"), async () => {
    await using at = await place();
    const [{ accounts, invitations }] = at.nodes;
    const { inviteId } = invitation();
    await invitations.create(invitation({ inviteId }));
    await accounts.create(account(), "open");
    expect(await codeOfRejection(accounts.create(account(), { inviteId }))).toBe("name-taken");
    await accounts.create(account({ name: "ben" }), { inviteId });
    expect((await invitations.find(inviteId, NOW_MS))?.spent).toBe(1);
  });

  test(title("of many sign-ups with one invitation on two nodes at once, exactly its uses succeed"), async () => {
    await using at = await place();
    const { inviteId } = invitation();
    await at.nodes[0].invitations.create(invitation({ inviteId, uses: 5 }));
    const attempts = Array.from({ length: 20 }, (_, index) => {
      const { accounts } = at.nodes[index % 2 === 0 ? 0 : 1];
      return codeOfRejection(accounts.create(account({ name: `guest${index}` }), { inviteId }));
    });
    const outcomes = await Promise.all(attempts);
    expect(outcomes.filter((code) => code === null)).toHaveLength(5);
    expect(outcomes.filter((code) => code === "bad-invite")).toHaveLength(15);
    expect(await at.nodes[1].accounts.list({ limit: 100 })).toHaveLength(5);
  });

  test(title("open registration has no end of uses"), async () => {
    await using at = await place();
    for (let index = 0; index < 20; index++) {
      await at.nodes[0].accounts.create(account({ name: `guest${index}` }), "open");
    }
    expect(await at.nodes[1].accounts.list({ limit: 100 })).toHaveLength(20);
  });

  test(title("list() of invitations leaves the expired ones out and counts what is spent"), async () => {
    await using at = await place();
    const [{ accounts, invitations }] = at.nodes;
    const later = invitation({ createdAtMs: NOW_MS + 1, uses: 2 });
    const earlier = invitation({ uses: 4 });
    for (const each of [later, earlier, invitation({ expiresAtMs: NOW_MS + DAY_MS })]) await invitations.create(each);
    await accounts.create(account(), { inviteId: later.inviteId });
    expect(await invitations.list(NOW_MS + DAY_MS)).toEqual([
      { ...earlier, spent: 0 },
      { ...later, spent: 1 },
    ]);
  });

  test(title("two invitations with one secret are refused"), async () => {
    await using at = await place();
    const invite = invitation();
    await at.nodes[0].invitations.create(invite);
    expect(await codeOfRejection(at.nodes[1].invitations.create({ ...invite, uses: 9 }))).not.toBeNull();
    expect((await at.nodes[0].invitations.find(invite.inviteId, NOW_MS))?.uses).toBe(1);
  });
}
