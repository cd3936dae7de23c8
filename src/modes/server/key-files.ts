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

/**
 * Makes them where there are none yet.
 * @param isUsed people have joined: a new key would shut them out
 * @throws UserError `config` with the fix when a key is damaged, readable by others, or gone from a server that is used
 */
export function openServerKeys(data: DataFolder, random: Random, isUsed = existsSync(data.accounts)): ServerKeys {
  if (isUsed) refuseLostKey(data);
  return {
    channel: new KeyPair(openKey(data.serverKey, random)),
    signing: new SigningKeyPair(openKey(data.signingKey, random)),
  };
}

/** @returns null unless both are there. @throws UserError `config` as above */
export function readKeys(data: DataFolder): ServerKeys | null {
  const [channel, signing] = [readKey(data.serverKey), readKey(data.signingKey)];
  if (channel === null || signing === null) return null;
  return { channel: new KeyPair(channel), signing: new SigningKeyPair(signing) };
}

/** The public key in the spelling of a join line. */
export function fingerprintOf({ channel }: ServerKeys): string {
  return toBase32(channel.publicKey);
}

/** @returns null when there is none yet. @throws UserError `config` as above */
export function readKey(file: string): Uint8Array | null {
  const bytes = readPrivateFile(file, "secret");
  return bytes === null ? null : parseKey(file, new TextDecoder().decode(bytes).trim());
}

/** @throws UserError `config` unless it is 52 base32 characters */
export function parseKey(file: string, text: string): Uint8Array {
  const key = fromBase32(text);
  if (key?.length === KEY_BYTES) return key;
  throw new UserError("config", `cannot use ${file}: it is damaged`, {
    hint: "restore it from a backup, or bring the key back with p2p server key import FILE",
  });
}

export function formatKey(key: Uint8Array): Uint8Array {
  return utf8(`${toBase32(key)}\n`);
}

/** A new key beside old accounts would shut everybody out who pinned the one before. @throws UserError `config` */
export function refuseLostKey({ serverKey }: DataFolder): void {
  if (existsSync(serverKey)) return;
  throw new UserError("config", `${serverKey} is missing, but people have joined this server`, {
    hint: "restore it from a backup, or bring the key back with p2p server key import FILE; without it nobody who joined can return",
  });
}

function openKey(file: string, random: Random): Uint8Array {
  const key = readKey(file);
  if (key !== null) return key;
  const made = random(KEY_BYTES);
  return createPrivateFile(file, formatKey(made)) ? made : openKey(file, random);
}
