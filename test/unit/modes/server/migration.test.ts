import { afterEach, beforeEach, expect, test } from "bun:test";
import type { AccountStore } from "../../../../src/store/accounts.ts";
import { openAccountStore } from "../../../../src/store/open.ts";
import { kindsInOrder, lineOf } from "../../../../src/store/records.ts";
import { UserError } from "../../../../src/modes/cli/errors.ts";
import { migrate, type MigrationProgress, type Side } from "../../../../src/modes/server/migration.ts";
import { account, device, HOUR_MS, invitation, NOW_MS, randomBytes } from "../../../contract/samples.ts";

const quiet = { nowMs: NOW_MS, signal: new AbortController().signal, onProgress: () => undefined };

let from: Side;
let to: Side;
beforeEach(async () => {
  from = { store: await openAccountStore("memory:"), place: "sqlite:/old" };
  to = { store: await openAccountStore("memory:"), place: "sqlite:/new" };
});
afterEach(async () => {
  for (const { store } of [from, to]) await store[Symbol.asyncDispose]();
});

test("migrate() makes the target hold what the source holds, and says how much", async () => {
  await fill(from.store, ["ana", "ben"]);
  await from.store.bumpGeneration(40);
  const { tallies, alreadyThere, generation } = await migrate(from, to, quiet);
  expect(await linesIn(to.store)).toEqual(await linesIn(from.store));
  expect([tallies.accounts.count, tallies.devices.count, tallies.revokedDevices.count]).toEqual([2, 2, 2]);
  expect([tallies.invitations.count, tallies.blocks.count, tallies.resets.count]).toEqual([1, 2, 1]);
  expect(tallies.accounts.digest).toMatch(/^[0-9a-f]{64}$/);
  expect([alreadyThere, generation, await to.store.generation()]).toEqual([0, 41, 41]);
});

test("migrate() again finds all of it there, with the same digests", async () => {
  await fill(from.store, ["ana"]);
  const first = await migrate(from, to, quiet);
  const again = await migrate(from, to, quiet);
  expect(again.tallies).toEqual(first.tallies);
  expect(again.alreadyThere).toBe(Object.values(first.tallies).reduce((sum, { count }) => sum + count, 0));
});

test("migrate() leaves out what has expired", async () => {
  await fill(from.store, ["ana"]);
  const { tallies } = await migrate(from, to, { ...quiet, nowMs: NOW_MS + 2 * HOUR_MS });
  expect([tallies.accounts.count, tallies.resets.count, tallies.redeemedResets.count]).toEqual([1, 0, 0]);
  expect(await Array.fromAsync(to.store.records.read("resets"))).toEqual([]);
});

test("migrate() that is ended at any step leaves its target without a generation, and goes on to the same end", async () => {
  await fill(from.store, ["ana", "ben", "cyd"]);
  await blockMany(from.store, 2_500);
  await from.store.bumpGeneration();
  const whole = await linesIn(from.store);
  let ended = 0;
  for (let steps = 1; ; steps++) {
    const controller = new AbortController();
    let step = 0;
    const onProgress = () => void (++step === steps && controller.abort(new UserError("interrupted", "Ctrl-C")));
    const outcome = await migrate(from, to, { ...quiet, signal: controller.signal, onProgress }).catch(codeOf);
    if (outcome !== "interrupted") break;
    ended++;
    expect(await to.store.generation()).toBe(0);
    const present = new Set(await linesIn(to.store));
    expect(present.isSubsetOf(new Set(whole))).toBe(true);
  }
  expect(ended).toBeGreaterThan(6);
  expect(await linesIn(to.store)).toEqual(whole);
  expect(await to.store.generation()).toBe(1);
});

test("migrate() counts what is there from an earlier run, and tells how far it is", async () => {
  await blockMany(from.store, 2_500);
  const rows = await Array.fromAsync(from.store.records.read("blocks"));
  await to.store.records.add("blocks", rows.slice(0, 900));
  const told: MigrationProgress[] = [];
  const { alreadyThere } = await migrate(from, to, { ...quiet, onProgress: (progress) => told.push(progress) });
  expect(alreadyThere).toBe(900);
  expect(told).toContainEqual({ step: "reading", done: 1_000, total: null });
  expect(told).toContainEqual({ step: "copying", done: 1_100, total: 1_600 });
  expect(told.at(-1)).toEqual({ step: "checking", done: 2_000, total: 2_500 });
});

test("migrate() refuses a target with an account of its own, and writes nothing", async () => {
  await fill(from.store, ["ana"]);
  await to.store.accounts.create(account({ name: "zoe" }), "open");
  const before = await linesIn(to.store);
  expect(await failureOf()).toMatchObject({
    code: "config",
    message: 'cannot copy into sqlite:/new: it holds the account "zoe", which sqlite:/old has not',
  });
  expect(await linesIn(to.store)).toEqual(before);
});

test("migrate() refuses a target where an account is another one under the same id, and writes nothing", async () => {
  const [ana] = await fill(from.store, ["ana"]);
  await to.store.accounts.create(ana, "open");
  const before = await linesIn(to.store);
  expect((await failureOf()).message).toStartWith('cannot copy into sqlite:/new: its account "ana" is another');
  expect(await linesIn(to.store)).toEqual(before);
});

test("migrate() refuses a target that a server has run on since", async () => {
  await fill(from.store, ["ana"]);
  await migrate(from, to, quiet);
  await to.store.bumpGeneration();
  expect((await failureOf()).message).toStartWith("cannot copy into sqlite:/new: a server has run on it");
});

test("migrate() refuses a source that holds nothing", async () => {
  expect(await failureOf()).toMatchObject({
    code: "config",
    message: "there is nothing to copy: sqlite:/old is empty",
  });
});

test("migrate() notices what is written to the source meanwhile, and leaves the target unusable", async () => {
  const changes: readonly ((ana: Uint8Array) => Promise<unknown>)[] = [
    (ana) => from.store.accounts.setBlocked(ana, true),
    () => from.store.accounts.create(account({ name: "late" }), "open"),
    (ana) => from.store.devices.revokeAll(ana, NOW_MS),
    () => from.store.bumpGeneration(),
  ];
  const [ana] = await fill(from.store, ["ana"]);
  await from.store.bumpGeneration();
  for (const change of changes) {
    await using store = await openAccountStore("memory:");
    const during = { ...quiet, onProgress: once("copying", () => change(ana.userId)) };
    const error = await migrate(from, { store, place: "sqlite:/new" }, during).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: "config",
      message: "the copy is not whole: sqlite:/old was written to meanwhile",
    });
    expect(await store.generation()).toBe(0);
  }
});

test("migrate() notices what is written to the target meanwhile", async () => {
  const [ana] = await fill(from.store, ["ana"]);
  const onProgress = once("checking", () => to.store.blocks.add(ana.userId, randomBytes(16)));
  const error = await migrate(from, to, { ...quiet, onProgress }).catch((reason: unknown) => reason);
  expect((error as Error).message).toBe(
    "the copy is not whole: the blocks in sqlite:/new are not those of sqlite:/old",
  );
});

/** An account each with a revoked device, a living one, a block and a password reset, by one invitation. */
async function fill(store: AccountStore, names: readonly [string, ...string[]]) {
  const { inviteId } = invitation();
  await store.invitations.create(invitation({ inviteId, uses: 10 }));
  const people = names.map((name) => account({ name }));
  for (const person of people) {
    await store.accounts.create(person, { inviteId });
    await store.accounts.setInvisible(person.userId, true);
    const [old, present] = [device(person.userId), device(person.userId)] as const;
    for (const each of [old, present]) await store.devices.enrol(each);
    await store.devices.revoke(person.userId, old.deviceId, NOW_MS);
    await store.blocks.add(person.userId, randomBytes(16));
  }
  const [first = account()] = people;
  const reset = { tokenHash: randomBytes(32), userId: first.userId, expiresAtMs: NOW_MS + HOUR_MS };
  await store.resets.create(reset);
  await store.resets.redeem(reset.tokenHash, NOW_MS);
  return [first, ...people.slice(1)] as const;
}

async function blockMany(store: AccountStore, count: number): Promise<void> {
  const rows = Array.from({ length: count }, () => ({ userId: randomBytes(16), blockedUserId: randomBytes(16) }));
  for (let start = 0; start < count; start += 1_000)
    await store.records.add("blocks", rows.slice(start, start + 1_000));
}

async function linesIn(store: AccountStore): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const kind of kindsInOrder)
    for await (const row of store.records.read(kind)) lines.push(`${kind} ${lineOf(kind, row)}`);
  return lines;
}

function once(step: MigrationProgress["step"], work: () => Promise<unknown>): (progress: MigrationProgress) => void {
  let isDone = false;
  return (progress) => {
    if (isDone || progress.step !== step) return;
    isDone = true;
    void work();
  };
}

async function failureOf(): Promise<UserError> {
  const error = await migrate(from, to, quiet).catch((reason: unknown) => reason);
  if (error instanceof UserError) return error;
  throw new Error(`no failure: ${Bun.inspect(error)}`);
}

function codeOf(error: unknown): unknown {
  return error instanceof UserError ? error.code : error;
}
