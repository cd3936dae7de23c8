import { expect, test } from "bun:test";
import type { AccountBackEnd } from "./account-store.ts";
import { account, codeOfRejection, invitation, NOW_MS, randomBytes } from "./samples.ts";

export function accountsContract({ name: backEnd, place }: AccountBackEnd): void {
  const title = (claim: string) => `AccountStore (${backEnd}): ${claim}`;

  test(title("find() and findById() return what create() was given, on both nodes"), async () => {
    await using at = await place();
    const ana = account();
    await at.nodes[0].accounts.create(ana, "open");
    for (const { accounts } of at.nodes) {
      expect(await accounts.find("ana")).toEqual({ ...ana, invisible: false, blocked: false });
      expect(await accounts.findById(ana.userId)).toEqual({ ...ana, invisible: false, blocked: false });
    }
  });

  test(title("find() and findById() return null for people nobody knows"), async () => {
    await using at = await place();
    const [{ accounts }] = at.nodes;
    await accounts.create(account(), "open");
    expect(await accounts.find("an")).toBeNull();
    expect(await accounts.find("ANA")).toBeNull();
    expect(await accounts.findById(randomBytes(16))).toBeNull();
  });

  test(title("create() refuses a name that exists"), async () => {
    await using at = await place();
    const first = account();
    await at.nodes[0].accounts.create(first, "open");
    for (const { accounts } of at.nodes) {
      expect(await codeOfRejection(accounts.create(account(), "open"))).toBe("name-taken");
    }
    expect((await at.nodes[1].accounts.find("ana"))?.userId).toEqual(first.userId);
  });

  test(title("create() refuses a name that is not in lower case, so that no two differ in case alone"), async () => {
    await using at = await place();
    const [{ accounts }] = at.nodes;
    for (const name of ["Ana", "ANA", "\u00c5sa", ""]) {
      expect(await codeOfRejection(accounts.create(account({ name }), "open"))).toBe("bad-name");
    }
    expect(await accounts.list({ limit: 10 })).toEqual([]);
  });

  test(title("create() never stores two accounts under one user id"), async () => {
    await using at = await place();
    const ana = account();
    await at.nodes[0].accounts.create(ana, "open");
    const twin = at.nodes[1].accounts.create(account({ userId: ana.userId, name: "ben" }), "open");
    expect(await codeOfRejection(twin)).not.toBeNull();
    expect(await at.nodes[0].accounts.find("ben")).toBeNull();
  });

  test(title("bad input 67: of many sign-ups with one name on two nodes at once, exactly one succeeds"), async () => {
    await using at = await place();
    const invite = invitation({ uses: 20 });
    await at.nodes[0].invitations.create(invite);
    const attempts = Array.from({ length: 20 }, (_, index) =>
      codeOfRejection(at.nodes[index % 2 === 0 ? 0 : 1].accounts.create(account(), { inviteId: invite.inviteId })),
    );
    const outcomes = await Promise.all(attempts);
    expect(outcomes.filter((code) => code === null)).toHaveLength(1);
    expect(outcomes.filter((code) => code === "name-taken")).toHaveLength(19);
    expect((await at.nodes[1].invitations.find(invite.inviteId, NOW_MS))?.spent).toBe(1);
  });

  test(title("setPasswordHash(), setInvisible() and setBlocked() change that and nothing else"), async () => {
    await using at = await place();
    const [{ accounts }, other] = at.nodes;
    const ana = account();
    const ben = account({ name: "ben" });
    await accounts.create(ana, "open");
    await accounts.create(ben, "open");
    expect(await accounts.setPasswordHash(ana.userId, "$argon2id$new")).toBe(true);
    expect(await accounts.setInvisible(ana.userId, true)).toBe(true);
    expect(await accounts.setBlocked(ana.userId, true)).toBe(true);
    const changed = { ...ana, passwordHash: "$argon2id$new", invisible: true, blocked: true };
    expect(await other.accounts.find("ana")).toEqual(changed);
    expect(await accounts.setBlocked(ana.userId, false)).toBe(true);
    expect(await other.accounts.find("ana")).toEqual({ ...changed, blocked: false });
    expect(await other.accounts.find("ben")).toEqual({ ...ben, invisible: false, blocked: false });
  });

  test(title("changing an account that does not exist is told and makes none"), async () => {
    await using at = await place();
    const [{ accounts }] = at.nodes;
    const nobody = randomBytes(16);
    expect(await accounts.setPasswordHash(nobody, "$argon2id$new")).toBe(false);
    expect(await accounts.setInvisible(nobody, true)).toBe(false);
    expect(await accounts.setBlocked(nobody, true)).toBe(false);
    expect(await accounts.list({ limit: 10 })).toEqual([]);
  });

  test(title("list() gives every account once, by name, over pages"), async () => {
    await using at = await place();
    const [{ accounts }] = at.nodes;
    for (const name of ["d", "a", "c", "b.b", "b", "b-a", "a1"]) await accounts.create(account({ name }), "open");
    const seen: string[] = [];
    for (let after = ""; ; after = seen.at(-1) ?? "") {
      const page = await accounts.list({ after, limit: 3 });
      seen.push(...page.map(({ name }) => name));
      if (page.length < 3) break;
    }
    expect(seen).toEqual(["a", "a1", "b", "b-a", "b.b", "c", "d"]);
  });
}
