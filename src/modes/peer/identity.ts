import { existsSync } from "node:fs";
import { toHex } from "../../wire/bytes.ts";
import type { Random } from "../../wire/core.ts";
import { KEY_BYTES, KeyPair, SigningKeyPair } from "../../wire/noise/primitives.ts";
import { UserError } from "../cli/errors.ts";
import { createPrivateFile, readPrivateFile } from "../runtime/private-file.ts";
import type { Home } from "./home.ts";
import { asBytes, Damaged, formatJson, parseObject } from "./stored-json.ts";

/** Who this device is, for good: made once, never replaced by the program. */
export interface Identity {
  /** X25519: the device key, static key of its channels and sessions. */
  readonly keys: KeyPair;
  /** Ed25519: signs device lists. */
  readonly signing: SigningKeyPair;
}

const VERSION = 1;

/** @throws UserError `config` with the fix when the file is missing, broken, or not safely ours */
export function openIdentity(home: Home): Identity {
  const bytes = readPrivateFile(home.identity, "secret");
  if (bytes === null)
    throw broken(
      `${home.identity} is missing`,
      "restore it from a backup; or sign out with p2p logout, and sign in as a new device",
    );
  return parseIdentity(home, bytes);
}

/** The identity of this home, made now in a home that never had one. @throws UserError `config` as above */
export function openOrCreateIdentity(home: Home, random: Random): Identity {
  // An account without its key has lost it; a new one under the old name would look like somebody else.
  if (existsSync(home.identity) || existsSync(home.account)) return openIdentity(home);
  const identity = { keys: KeyPair.generate(random), signing: SigningKeyPair.generate(random) };
  // Another program of this home may have been faster: then its keys are ours.
  return createPrivateFile(home.identity, format(identity)) ? identity : openIdentity(home);
}

function format(identity: Identity): Uint8Array {
  const [x25519, ed25519] = [toHex(identity.keys.exportPrivateKey()), toHex(identity.signing.exportSeed())];
  return formatJson({ version: VERSION, x25519, ed25519 });
}

function parseIdentity(home: Home, bytes: Uint8Array): Identity {
  try {
    const { version, x25519, ed25519 } = parseObject(bytes);
    if (version !== VERSION) throw new Damaged(`its version is not ${VERSION}`);
    return {
      keys: new KeyPair(asBytes(x25519, KEY_BYTES, "x25519")),
      signing: new SigningKeyPair(asBytes(ed25519, KEY_BYTES, "ed25519")),
    };
  } catch (error) {
    if (!(error instanceof Damaged)) throw error;
    const fix = "restore it from a backup; or move it away, sign out with p2p logout, and sign in as a new device";
    throw broken(`cannot use ${home.identity}: ${error.message}`, fix);
  }
}

function broken(message: string, hint: string): UserError {
  return new UserError("config", message, { hint });
}
