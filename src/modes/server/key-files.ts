import { existsSync } from "node:fs";
import { fromBase32, toBase32, utf8 } from "../../wire/bytes.ts";
import type { Random } from "../../wire/core.ts";
import { KEY_BYTES, KeyPair, SigningKeyPair } from "../../wire/noise/primitives.ts";
import { UserError } from "../cli/errors.ts";
import { createPrivateFile, readPrivateFile } from "../runtime/private-file.ts";
import type { DataFolder } from "./data-folder.ts";

/** Who this server is, and what it signs access tokens with. */
export interface ServerKeys {
  /** X25519: pinned by everybody who ever joined. */
  readonly channel: KeyPair;
  /** Ed25519. */
  readonly signing: SigningKeyPair;
}

/** @throws UserError `config` with the fix when a key is damaged, readable by others, or gone while the accounts are there */
export function openServerKeys(data: DataFolder, random: Random): ServerKeys {
  return {
    channel: new KeyPair(openKey(data, data.serverKey, random)),
    signing: new SigningKeyPair(openKey(data, data.signingKey, random)),
  };
}

/** The public key in the spelling of a join line. */
export function fingerprintOf({ channel }: ServerKeys): string {
  return toBase32(channel.publicKey);
}

/** @returns null when there is none yet. @throws UserError `config` as above */
export function readKey(file: string): Uint8Array | null {
  const bytes = readPrivateFile(file, "secret");
  return bytes === null ? null : parseKey(file, bytes);
}

/** @throws UserError `config` unless it is one line of 52 base32 characters */
export function parseKey(file: string, bytes: Uint8Array): Uint8Array {
  const key = fromBase32(new TextDecoder().decode(bytes).trim());
  if (key?.length === KEY_BYTES) return key;
  throw new UserError("config", `cannot use ${file}: it is damaged`, {
    hint: "restore it from a backup, or bring the key back with p2p server key import FILE",
  });
}

export function formatKey(key: Uint8Array): Uint8Array {
  return utf8(`${toBase32(key)}\n`);
}

/** A new key beside old accounts would shut everybody out who pinned the one before. */
export function refuseLostKey(data: DataFolder): void {
  if (!existsSync(data.serverKey) && existsSync(data.accounts)) throw missing(data);
}

function openKey(data: DataFolder, file: string, random: Random): Uint8Array {
  const key = readKey(file);
  if (key !== null) return key;
  if (file === data.serverKey) refuseLostKey(data);
  const made = random(KEY_BYTES);
  return createPrivateFile(file, formatKey(made)) ? made : openKey(data, file, random);
}

function missing({ serverKey, folder }: DataFolder): UserError {
  return new UserError("config", `${serverKey} is missing, but there are accounts in ${folder}`, {
    hint: "restore it from a backup, or bring the key back with p2p server key import FILE; without it nobody who joined can return",
  });
}
