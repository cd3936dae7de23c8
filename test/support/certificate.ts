import { createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { canonicalIp } from "../../src/wire/address.ts";
import { concat, utf8 } from "../../src/wire/bytes.ts";
import { hex } from "./bytes.ts";

export interface CertificateOptions {
  /** A DNS name or an IPv4 address. */
  readonly host?: string;
  readonly from?: Date;
  readonly to?: Date;
}

const DAY_MS = 86_400_000;
const ECDSA_SHA256 = tlv(0x30, hex("06 08 2a 86 48 ce 3d 04 03 02"));

/** A self-signed X.509 certificate for a fresh P-256 key, RFC 5280 §4.1. Both PEM. */
export function selfSigned(options: CertificateOptions = {}): { readonly cert: string; readonly key: string } {
  const { host = "127.0.0.1", from = new Date(Date.now() - DAY_MS), to = new Date(Date.now() + 30 * DAY_MS) } = options;
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = tlv(0x30, tlv(0x31, tlv(0x30, hex("06 03 55 04 03"), tlv(0x0c, utf8(host)))));
  const certificate = tlv(
    0x30,
    hex("a0 03 02 01 02"), // version 3
    tlv(0x02, Uint8Array.of(0x01, ...crypto.getRandomValues(new Uint8Array(8)))),
    ECDSA_SHA256,
    name,
    tlv(0x30, time(from), time(to)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    tlv(0xa3, tlv(0x30, tlv(0x30, hex("06 03 55 1d 11"), tlv(0x04, tlv(0x30, alternativeName(host)))))),
  );
  const key = privateKey.export({ type: "pkcs8", format: "pem" });
  const signature = sign("sha256", certificate, createPrivateKey(key));
  const der = tlv(0x30, certificate, ECDSA_SHA256, tlv(0x03, Uint8Array.of(0), signature));
  return { cert: pem(der), key };
}

/** As files, the key for its owner alone. */
export function writeSelfSigned(
  files: { readonly cert: string; readonly key: string },
  options?: CertificateOptions,
): void {
  const { cert, key } = selfSigned(options);
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key, { mode: 0o600 });
}

function alternativeName(host: string): Uint8Array {
  return canonicalIp(host) === null ? tlv(0x82, utf8(host)) : tlv(0x87, Uint8Array.from(host.split("."), Number));
}

function time(at: Date): Uint8Array {
  return tlv(0x17, utf8(`${at.toISOString().replace(/^..|[-:T]|\..*$/g, "")}Z`));
}

/** DER, X.690 §8.1: tag, length, value. */
function tlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const value = concat(...parts);
  const { length } = value;
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return concat(Uint8Array.of(tag, ...(length < 0x80 ? [length] : long)), value);
}

function pem(der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
