import { commonPasswords } from "./common-passwords.ts";
import type { PasswordThreads } from "./password-threads.ts";
import { Refusal } from "./refusal.ts";

// OWASP's floor for argon2id. Bun's own default takes 64 MiB a password, 2 GB for thirty at once.
const MEMORY_KIB = 19_456;
const PASSES = 2;
const MIN_CHARACTERS = 10;
const MAX_CHARACTERS = 256;
const MAX_BYTES = 1_024;

/** Bounds on a stored hash: one that asks for 4 GiB would hold the server for 19 s. */
const MAX_MEMORY_KIB = 65_536;
const MAX_PASSES = 4;
const STORED = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=1\$[A-Za-z0-9+/]{22,86}\$[A-Za-z0-9+/]{43,86}$/;

/** Verified in place of the hash that an unknown name does not have: the same work, and nothing hashes to it. */
const NOBODYS = `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=1$${"A".repeat(43)}$${"A".repeat(43)}`;

/** Unicode has several spellings of `é`; what was typed is the same password in each. */
export function normalizePassword(password: string): string {
  return password.normalize("NFC");
}

/** Of a new password, normalized. @throws Refusal `weak-password` */
export function checkNewPassword(password: string, name: string): void {
  const problem = problemWith(password, name);
  if (problem !== null) throw new Refusal("weak-password", problem);
}

/** @throws Refusal `busy` */
export async function hashPassword(threads: PasswordThreads, password: string): Promise<string> {
  return threads.run({ kind: "hash", password, memoryKiB: MEMORY_KIB, passes: PASSES });
}

/**
 * @param stored null when there is no such person: the same work is done
 * @throws Refusal `busy`
 */
export async function verifyPassword(
  threads: PasswordThreads,
  password: string,
  stored: string | null,
): Promise<boolean> {
  const sound = stored !== null && isSoundHash(stored);
  const matches = await threads.run({ kind: "verify", password, stored: sound ? stored : NOBODYS });
  return sound && matches;
}

/** Whether a stored string may be verified at all: our algorithm, in bounds. */
export function isSoundHash(stored: string): boolean {
  const cost = costOf(stored);
  return cost !== null && cost.memoryKiB <= MAX_MEMORY_KIB && cost.passes <= MAX_PASSES && cost.memoryKiB >= 8;
}

/** Made when less work was the rule. */
export function isOutdatedHash(stored: string): boolean {
  const cost = costOf(stored);
  return cost === null || cost.memoryKiB < MEMORY_KIB || cost.passes < PASSES;
}

function costOf(stored: string): { memoryKiB: number; passes: number } | null {
  const [, memory, passes] = STORED.exec(stored) ?? [];
  return memory === undefined || passes === undefined ? null : { memoryKiB: Number(memory), passes: Number(passes) };
}

function problemWith(password: string, name: string): string | null {
  if (!password.isWellFormed()) return "the password has half of a character in it";
  const characters = Array.from(password);
  if (characters.length < MIN_CHARACTERS) return `the password is shorter than ${MIN_CHARACTERS} characters`;
  if (characters.length > MAX_CHARACTERS) return `the password is longer than ${MAX_CHARACTERS} characters`;
  if (Buffer.byteLength(password) > MAX_BYTES) return `the password is longer than ${MAX_BYTES} bytes`;
  return isGuessable(password.toLowerCase(), name) ? "the password is one of the first that anybody would try" : null;
}

function isGuessable(lower: string, name: string): boolean {
  const withoutName = lower.replaceAll(name, "");
  return (
    commonPasswords.has(lower) || new Set(lower).size < 3 || (/^[\d!._-]*$/.test(withoutName) && withoutName !== lower)
  );
}
