import { existsSync } from "node:fs";
import path from "node:path";
import { concat } from "../../wire/bytes.ts";
import { equalSecrets, KeyPair } from "../../wire/noise/primitives.ts";
import type { ServerKeyCommand } from "../cli/command.ts";
import type { ServerContext } from "../cli/context.ts";
import { UserError } from "../cli/errors.ts";
import { createPrivateFile, readPrivateFile } from "../runtime/private-file.ts";
import { type DataFolder, existingDataFolder, lockDataFolder, openDataFolder } from "./data-folder.ts";
import { fingerprintOf, formatKey, openServerKeys, parseKey, readKey } from "./key-files.ts";
import { systemRandom } from "./system-random.ts";

/** `p2p server key [export F | import F]`. @returns 0. @throws UserError `config` */
export function runKeyCommand(command: ServerKeyCommand, { data: folder, output }: ServerContext): number {
  const data = command.kind === "server-key-import" ? openDataFolder(folder) : existingDataFolder(folder);
  const file = command.file === null ? null : path.resolve(command.file);
  if (file !== null && command.kind === "server-key-import") importKey(data, file);
  else if (file !== null) exportKey(data, file);
  const fingerprint = fingerprintOf(openServerKeys(data, systemRandom));
  if (output.json) output.event({ event: "status", fingerprint });
  else output.print(fingerprint);
  return 0;
}

/** Two lines: the server key, and the one that signs tokens, which nodes of one server share too. Where they stand already all is done. */
function exportKey(data: DataFolder, file: string): void {
  const { channel, signing } = openServerKeys(data, systemRandom);
  const lines = concat(formatKey(channel.exportPrivateKey()), formatKey(signing.exportSeed()));
  if (createPrivateFile(file, lines)) return;
  if (!equalSecrets(readPrivateFile(file, "secret") ?? new Uint8Array(), lines))
    throw new UserError("config", `cannot write ${file}: it exists`, { hint: "give the name of a new file" });
}

/** A key, and the file of the data folder where it belongs. */
type KeyInPlace = readonly [place: string, key: Uint8Array];

/** Never over another identity: whoever pinned that one could not come back. Where the keys are those already, a server may run. */
function importKey(data: DataFolder, file: string): void {
  const keys = keysIn(file, data);
  if (keys.every(([place, key]) => holds(place, key))) return;
  const lock = lockDataFolder(data);
  try {
    for (const [place, key] of keys) refuseOther(place, key);
    for (const [place, key] of keys) createPrivateFile(place, formatKey(key));
  } finally {
    lock.release();
  }
}

function keysIn(file: string, data: DataFolder): readonly KeyInPlace[] {
  const bytes = readPrivateFile(file, "secret");
  if (bytes === null)
    throw new UserError("config", `${file} does not exist`, { hint: "give the file that export wrote" });
  const [channel = "", signing = null] = new TextDecoder().decode(bytes).trim().split(/\r?\n/);
  const keys: KeyInPlace[] = [[data.serverKey, parseKey(file, channel)]];
  return signing === null ? keys : [...keys, [data.signingKey, parseKey(file, signing)]];
}

function holds(place: string, key: Uint8Array): boolean {
  const present = readKey(place);
  return present !== null && isSameKey(present, key);
}

function refuseOther(place: string, key: Uint8Array): void {
  if (!existsSync(place) || holds(place, key)) return;
  throw new UserError("config", `${place} holds another key`, {
    hint: "everybody who joined with it would be shut out; if that is meant, move that file away first",
  });
}

function isSameKey(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(new KeyPair(one).publicKey, new KeyPair(other).publicKey) === 0;
}
