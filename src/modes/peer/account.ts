import { rmSync } from "node:fs";
import { toHex } from "../../wire/bytes.ts";
import { UserError } from "../cli/errors.ts";
import { formatJoinLine, type JoinLine, parseJoinLine } from "../cli/join-line.ts";
import { parseName } from "../cli/names.ts";
import { withFileLock } from "../runtime/file-lock.ts";
import { readPrivateFile, replacePrivateFile } from "../runtime/private-file.ts";
import type { Home } from "./home.ts";
import { asBytes, asText, Damaged, formatJson, parseObject } from "./stored-json.ts";

/** The one account of a home, on one server. */
export interface Account {
  readonly name: string;
  /** 16 bytes. */
  readonly userId: Uint8Array;
  /** 16 bytes, fresh for each enrolment. */
  readonly deviceId: Uint8Array;
  readonly label: string;
  readonly server: PinnedServer;
}

/** A join line whose key is known and whose invitation is spent. */
export interface PinnedServer extends JoinLine {
  readonly key: Uint8Array;
  readonly invite: null;
}

const VERSION = 1;
const ID_BYTES = 16;

/** @returns null when nobody is signed in here. @throws UserError `config` when the file is broken */
export function readAccount(home: Home): Account | null {
  const bytes = readPrivateFile(home.account, "own");
  if (bytes === null) return null;
  try {
    return parseAccount(bytes);
  } catch (error) {
    if (!(error instanceof Damaged) && !(error instanceof UserError)) throw error;
    const hint = "restore it from a backup; or move it away and sign in again";
    throw new UserError("config", `cannot use ${home.account}: ${error.message}`, { hint });
  }
}

/** @throws UserError `not-signed-in`, or `config` as above */
export function requireAccount(home: Home): Account {
  const account = readAccount(home);
  if (account === null) throw new UserError("not-signed-in", "nobody is signed in here");
  return account;
}

/** @throws UserError `config` when it cannot be written */
export async function saveAccount(home: Home, account: Account): Promise<void> {
  const { name, userId, deviceId, label, server } = account;
  const bytes = formatJson({
    version: VERSION,
    name,
    userId: toHex(userId),
    deviceId: toHex(deviceId),
    label,
    server: formatJoinLine({ ...server, invite: null }),
  });
  await withFileLock(home.account, () => replacePrivateFile(home.account, bytes));
}

/** Also a broken one. */
export async function removeAccount(home: Home): Promise<void> {
  await withFileLock(home.account, () => rmSync(home.account, { force: true }));
}

function parseAccount(bytes: Uint8Array): Account {
  const { version, name, userId, deviceId, label, server } = parseObject(bytes);
  if (version !== VERSION) throw new Damaged(`its version is not ${VERSION}`);
  return {
    name: parseName(asText(name, "name")),
    userId: asBytes(userId, ID_BYTES, "userId"),
    deviceId: asBytes(deviceId, ID_BYTES, "deviceId"),
    label: asText(label, "label"),
    server: pinned(parseJoinLine(asText(server, "server"))),
  };
}

function pinned({ secure, nodes, key }: JoinLine): PinnedServer {
  if (key === null) throw new Damaged("server has no key");
  return { secure, nodes, key, invite: null };
}
