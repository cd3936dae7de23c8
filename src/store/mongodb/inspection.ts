import { Binary } from "mongodb";
import { ID_BYTES, KEY_BYTES } from "../limits.ts";
import type { Collections } from "./collections.ts";
import { type Connection, perform } from "./connection.ts";
import { bytesIn } from "./documents.ts";
import { documentsOf } from "./scan.ts";
import { type Index, indexes } from "./schema.ts";

const CHECK = "check the account store";

type Kind = "text" | "number" | "flag" | number;

/** What every document of a collection holds; a number is so many bytes. */
const shapes = {
  accounts: {
    _id: ID_BYTES,
    name: "text",
    passwordHash: "text",
    createdAtMs: "number",
    invisible: "flag",
    blocked: "flag",
  },
  devices: { _id: ID_BYTES, userId: ID_BYTES, key: KEY_BYTES, signKey: KEY_BYTES, slot: "number", label: "text" },
  revokedDevices: { _id: ID_BYTES, userId: ID_BYTES, key: KEY_BYTES, revokedAtMs: "number" },
  invitations: { _id: KEY_BYTES, uses: "number", expiresAtMs: "number" },
  blocks: { _id: 2 * ID_BYTES, userId: ID_BYTES, blockedUserId: ID_BYTES },
  resets: { _id: KEY_BYTES, userId: ID_BYTES, expiresAtMs: "number" },
} as const satisfies Partial<Record<keyof Collections, Readonly<Record<string, Kind>>>>;

/** @returns the problems found, at most `limit`: missing unique indexes, and documents that are not what we write */
export async function problemsIn(connection: Connection, limit: number): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const index of indexes) problems.push(...(await indexProblems(connection, index)));
  for (const name of Object.keys(shapes) as readonly (keyof typeof shapes)[]) {
    const shape = Object.entries<Kind>(shapes[name]);
    for await (const document of documentsOf(connection, CHECK, name)) {
      const field = shape.find(([key, kind]) => !isOf(kind, document[key]))?.[0];
      if (field !== undefined) problems.push(`a document of ${name} has a damaged ${field}`);
      if (problems.length >= limit) return problems;
    }
  }
  return problems;
}

async function indexProblems(connection: Connection, { of, name, unique }: Index): Promise<string[]> {
  const present = await perform(connection, CHECK, (call) => connection.collections[of].listIndexes(call).toArray());
  const found = present.find((index) => index["name"] === name);
  const isSound = found !== undefined && (unique !== true || found["unique"] === true);
  return isSound ? [] : [`the index ${name} of ${of} is missing`];
}

function isOf(kind: Kind, value: unknown): boolean {
  if (kind === "text") return typeof value === "string";
  if (kind === "number") return Number.isSafeInteger(value);
  if (kind === "flag") return typeof value === "boolean";
  return value instanceof Binary && bytesIn(value).length === kind;
}
