import { REJECT_AFTER_PACKETS, REKEY_AFTER_PACKETS } from "../limits.ts";
import { AeadKey, NONCE_BYTES } from "../noise/primitives.ts";
import {
  COUNTER_AT,
  MAX_PACKET_NUMBER,
  MAX_PATH_ID,
  packetType,
  SEALED_HEADER_BYTES,
  SEALED_OVERHEAD_BYTES,
  writeCounter,
  writeHead,
  writeReceiverIndex,
} from "./header.ts";

/** How many packets one pair of keys is good for. Tests inject small ones. */
export interface KeyLimits {
  /** Sealed and opened together: time for new keys. */
  readonly rekeyAfterPackets: number;
  /** Under one key: nothing is sealed or opened any more. RFC 9001 §6.6 has the same number for AES-GCM. */
  readonly rejectAfterPackets: number;
  /** Refused ones: time for new keys, far below the 2^52 of RFC 9001 §6.6. */
  readonly rekeyAfterForgeries: number;
}

export const keyLimits: KeyLimits = {
  rekeyAfterPackets: REKEY_AFTER_PACKETS,
  rejectAfterPackets: REJECT_AFTER_PACKETS,
  rekeyAfterForgeries: 2 ** 36,
};

/** What one finished handshake gives; 32 bytes each. */
export interface EpochKeys {
  readonly epoch: number;
  readonly sealKey: Uint8Array;
  readonly openKey: Uint8Array;
}

/** PROTOCOL.md §2. AES-256-GCM over the packets of one epoch: nonce = four zero bytes and the counter, associated data = the header. */
export class PacketProtection {
  readonly epoch: number;
  readonly #sealKey: AeadKey;
  readonly #openKey: AeadKey;
  readonly #limits: KeyLimits;
  /** By path, but for the one sealed for last. */
  readonly #lastSealed = new Map<number, number>();
  #lastPath = -1;
  #lastNumber = -1;
  readonly #header = new Uint8Array(SEALED_HEADER_BYTES);
  readonly #nonce = new Uint8Array(NONCE_BYTES);
  #sealedPackets = 0;
  #openedPackets = 0;
  #forgedPackets = 0;

  constructor({ epoch, sealKey, openKey }: EpochKeys, limits: KeyLimits = keyLimits) {
    this.epoch = epoch;
    this.#sealKey = new AeadKey(sealKey);
    this.#openKey = new AeadKey(openKey);
    this.#limits = limits;
  }

  get sealedPackets(): number {
    return this.#sealedPackets;
  }

  get openedPackets(): number {
    return this.#openedPackets;
  }

  get forgedPackets(): number {
    return this.#forgedPackets;
  }

  get needsRekey(): boolean {
    return (
      this.#sealedPackets + this.#openedPackets >= this.#limits.rekeyAfterPackets ||
      this.#forgedPackets >= this.#limits.rekeyAfterForgeries
    );
  }

  /** Nothing can be sealed any more. */
  get isSpent(): boolean {
    return this.#sealedPackets >= this.#limits.rejectAfterPackets;
  }

  /**
   * Makes a packet of the `plaintextBytes` bytes that lie at `at + SEALED_HEADER_BYTES`: header before, tag behind.
   * @returns the packet's length
   * @throws RangeError for a number not above the last of this path or out of range, a spent key, a packet over 65 535 bytes
   */
  seal(
    out: Uint8Array,
    at: number,
    receiverIndex: number,
    pathId: number,
    packetNumber: number,
    plaintextBytes: number,
  ): number {
    const length = plaintextBytes + SEALED_OVERHEAD_BYTES;
    if (length > 0xffff) throw new RangeError("a packet is too long");
    this.#claim(pathId, packetNumber);
    writeHead(out, at, packetType.sealed, this.epoch, length);
    writeReceiverIndex(out, at, receiverIndex);
    writeCounter(out, at + COUNTER_AT, pathId, packetNumber);
    this.#load(out, at);
    this.#sealKey.sealInPlace(this.#nonce, this.#header, out, at + SEALED_HEADER_BYTES, plaintextBytes);
    return length;
  }

  /** @returns the plaintext of the packet from `start` to `end`, in memory of its own; null when it is not authentic or the key is spent */
  open(bytes: Uint8Array, start: number, end: number): Uint8Array | null {
    if (this.#openedPackets >= this.#limits.rejectAfterPackets) return null;
    this.#load(bytes, start);
    const plaintext = this.#openKey.open(this.#nonce, this.#header, bytes, start + SEALED_HEADER_BYTES, end);
    if (plaintext === null) this.#forgedPackets++;
    else this.#openedPackets++;
    return plaintext;
  }

  /** Before anything is sealed, and for good: a number is spent even if sealing or sending then fails. */
  #claim(pathId: number, packetNumber: number): void {
    if (this.isSpent) throw new RangeError("the key is spent");
    if (!isCounter(pathId, packetNumber)) throw new RangeError("a path id or packet number is out of range");
    const last = pathId === this.#lastPath ? this.#lastNumber : (this.#lastSealed.get(pathId) ?? -1);
    if (packetNumber <= last) throw new RangeError("a packet number would repeat");
    if (pathId !== this.#lastPath) this.#lastSealed.set(this.#lastPath, this.#lastNumber);
    this.#lastPath = pathId;
    this.#lastNumber = packetNumber;
    this.#sealedPackets++;
  }

  /** Byte by byte into arrays kept for it: a third of the cost of making a view. */
  #load(bytes: Uint8Array, at: number): void {
    for (let index = 0; index < SEALED_HEADER_BYTES; index++) this.#header[index] = bytes[at + index] ?? 0;
    for (let index = 0; index < 8; index++) this.#nonce[4 + index] = bytes[at + COUNTER_AT + index] ?? 0;
  }
}

/** Anything else would be cut to fit the header, and then repeat a nonce. */
function isCounter(pathId: number, packetNumber: number): boolean {
  return isWithin(pathId, MAX_PATH_ID) && isWithin(packetNumber, MAX_PACKET_NUMBER);
}

function isWithin(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= most;
}
