import { createPrivateKey, X509Certificate } from "node:crypto";
import { fstatSync, readFileSync, closeSync, openSync, type Stats } from "node:fs";
import path from "node:path";
import { canonicalIp } from "../../wire/address.ts";
import { UserError } from "../cli/errors.ts";

/** Where the certificate chain and its private key lie, both PEM. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** What the files hold, found to belong together. */
export interface TlsPair {
  /** PEM, the server's own certificate first. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

const HAS_MODES = process.platform !== "win32";
const MAX_BYTES = 1_048_576;

/**
 * The certificate and the key as they are now. An expired certificate is taken: a join line with the server's key does not rest on it,
 * and a server that stops because nobody renewed it would help nobody.
 * @throws UserError `config` with the fix when a file cannot be used or the two do not belong together
 */
export function readTls({ cert, key }: TlsFiles): TlsPair {
  const pair = { cert: readPem(path.resolve(cert), "open"), key: readPem(path.resolve(key), "secret") };
  const certificate = parsed(cert, "certificate", () => new X509Certificate(pair.cert));
  const privateKey = parsed(key, "private key", () => createPrivateKey(pair.key));
  if (certificate.checkPrivateKey(privateKey)) return pair;
  throw problem(
    `cannot use ${key}: it is not the key to the certificate in ${cert}`,
    "give the two that belong together",
  );
}

/** What makes people's programs refuse the certificate, as long as their join line has no key. Lower case; empty when all is well. */
export function doubtsAbout({ cert }: TlsPair, host: string, unixMs: number): readonly string[] {
  const certificate = new X509Certificate(cert);
  const isNamed = canonicalIp(host) === null ? certificate.checkHost(host) : certificate.checkIP(host);
  const day = (date: Date) => date.toISOString().slice(0, 10);
  return [
    ...(isNamed === undefined ? [`the certificate is not for ${host}`] : []),
    ...(certificate.validToDate.getTime() <= unixMs ? [`it expired on ${day(certificate.validToDate)}`] : []),
    ...(certificate.validFromDate.getTime() > unixMs ? [`it begins on ${day(certificate.validFromDate)}`] : []),
  ];
}

/** Links are followed: tools that renew certificates put a link to the newest one. */
function readPem(file: string, privacy: "open" | "secret"): string {
  let handle: number;
  try {
    handle = openSync(file, "r");
  } catch (cause) {
    throw unreadable(file, cause);
  }
  try {
    const stats = fstatSync(handle);
    if (!stats.isFile() || stats.size > MAX_BYTES)
      throw problem(`cannot use ${file}: it is no PEM file`, "give a PEM file");
    if (privacy === "secret") refuseOpen(file, stats);
    return readFileSync(handle, "utf8");
  } catch (error) {
    throw error instanceof UserError ? error : unreadable(file, error);
  } finally {
    closeSync(handle);
  }
}

/**
 * A group may read it: that is how a key of root's reaches a server that is not root (0640, or an access list, which looks the same).
 * Everybody may not.
 */
function refuseOpen(file: string, { mode }: Stats): void {
  if (!HAS_MODES || (mode & 0o027) === 0) return;
  const what = (mode & 0o004) === 0 ? "others may change it" : "others may read it";
  throw problem(
    `cannot use ${file}: ${what} (mode ${(mode & 0o777).toString(8).padStart(4, "0")})`,
    `chmod g-w,o= "${file}"; if it was like this for long, get a new key and certificate`,
  );
}

function parsed<T>(file: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw problem(
      `cannot use ${file}: it holds no ${what} in PEM form`,
      `give the file that begins with -----BEGIN`,
      cause,
    );
  }
}

function unreadable(file: string, cause: unknown): UserError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
  if (code === "ENOENT") return problem(`cannot read ${file}: it does not exist`, "check the path", cause);
  if (code !== "EACCES") return problem(`cannot read ${file}: ${code}`, "give a PEM file", cause);
  return problem(
    `cannot read ${file}: no right to`,
    "let the user that runs the server read it: chgrp p2p and chmod 640",
    cause,
  );
}

function problem(message: string, hint: string, cause?: unknown): UserError {
  return new UserError("config", message, { hint, cause });
}
