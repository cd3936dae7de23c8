import { Database } from "bun:sqlite";
import { StoreError } from "../../../../src/store/errors.ts";
import { openAccountFile } from "../../../../src/store/sqlite/account-store.ts";
import { account, device } from "../../../contract/samples.ts";

// The other process in tests of the account file: `bun child.ts JOB FILE`. What it has done it says, a line at a time.

const jobs = new Map<string, (file: string) => Promise<void>>([
  ["write", writeUntilKilled],
  ["hold", holdUntilToldOtherwise],
  ["sign-up", signUpManyNames],
  ["leave-open", leaveOpen],
]);

/** Names an account and its device only when the store has acknowledged both. */
async function writeUntilKilled(file: string): Promise<void> {
  const store = await openAccountFile(file);
  const { length: known } = await store.accounts.list({ limit: 1_000 });
  for (let number = known; ; number++) {
    const guest = account({ name: `guest${number}` });
    await store.accounts.create(guest, "open");
    const laptop = await store.devices.enrol(device(guest.userId));
    say(`${guest.name} ${laptop.key.toHex()}`);
  }
}

/** Holds the lock for writing until standard input ends. */
async function holdUntilToldOtherwise(file: string): Promise<void> {
  using db = new Database(file, { readwrite: true, create: false });
  db.run("BEGIN IMMEDIATE");
  say("held");
  await Bun.stdin.text();
  db.run("COMMIT");
}

/** Tries the same hundred names and device keys as anybody else who runs this; says which it got. */
async function signUpManyNames(file: string): Promise<void> {
  await using store = await openAccountFile(file);
  say("ready");
  await Bun.stdin.text();
  for (let number = 0; number < 100; number++) {
    const guest = account({ name: `guest${number}` });
    const key = new Uint8Array(32).fill(number);
    if (await succeeds(store.accounts.create(guest, "open"))) say(`name ${number}`);
    if (await succeeds(store.devices.enrol(device(guest.userId, { key })))) say(`key ${number}`);
  }
}

/** Never closes what it opened. */
async function leaveOpen(file: string): Promise<void> {
  const store = await openAccountFile(file);
  await store.accounts.create(account(), "open");
  say("written");
}

async function succeeds(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof StoreError && ["name-taken", "already-registered"].includes(error.code)) return false;
    throw error;
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const [, , job = "", file = ""] = process.argv;
await jobs.get(job)?.(file);
