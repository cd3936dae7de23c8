import type { ErrorCode } from "../../wire/errors.ts";
import type { NetworkReport } from "../../wire/traversal/network-report.ts";
import type { ErrorSide } from "../cli/errors.ts";
import type { Reason } from "./path-reasons.ts";
import type { SessionFigures } from "./session-figures.ts";

/** What the `path` event shows. */
export type PathKind = "lan" | "direct" | "port-mapped" | "relay-udp" | "relay-ws";

export interface PathInfo {
  readonly kind: PathKind;
  /** `address:port`, or the server's name for a relayed path. */
  readonly remote: string;
  readonly rttMs: number;
  /** Why this path and no better one, in words. */
  readonly why: string;
  /** What the server lets pass for this account, all sessions together; left out while it has not said so. */
  readonly relayBytesPerSecond?: number;
}

export interface SessionEnd {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly side: ErrorSide;
}

/** One message after the other, each whole, both ways; reliable and ordered. */
export interface MessagePort {
  /** Resolves when the session has taken it, which waits while the other end does not read. @throws UserError when the session has ended */
  send(message: Uint8Array): Promise<void>;
  /** Resolves when the other end's session has acknowledged all that was sent. @throws UserError as above */
  flushed(): Promise<void>;
  /** One handler; what came before it was set is kept for it. A WireError it throws ends the session with that code. */
  onMessage(handler: (message: Uint8Array) => void): void;
}

/** One way of a bulk stream, towards the other end. */
export interface ByteWriter {
  /** Resolves when the session has copied `bytes`, which waits for the other end's credit. @throws UserError when the stream or the session has ended */
  write(bytes: Uint8Array): Promise<void>;
  /** No more follows. Resolves when all of it was acknowledged. */
  finish(): Promise<void>;
  /** Gives up: the other end's reader fails with `code`. */
  reset(code: ErrorCode): void;
}

/** One way of a bulk stream, from the other end. */
export interface ByteReader {
  /** @returns the next bytes, which hold until they are consumed; null at the end. @throws UserError when the stream was reset or the session has ended */
  read(): Promise<Uint8Array | null>;
  /** Gives the other end credit for as much again: call it when the bytes are where they belong, for their memory is used again. */
  consumed(bytes: number): void;
  /** Asks the other end to stop; what still comes is dropped. */
  stop(code: ErrorCode): void;
}

/** What chat and files see of a session with a person's device. Everything rejects with the session's end once it has ended. */
export interface PeerSession {
  /** 32 hex characters, the same on both ends. */
  readonly id: string;
  /** The other person's name. */
  readonly peer: string;
  /** 60 digits over both device keys. */
  readonly safetyNumber: string;
  readonly path: PathInfo;
  /** Why no direct path carries it; null while there is one, and while one is looked for. */
  readonly relayedBecause: Reason | null;
  /** Up to now. */
  readonly figures: SessionFigures;
  readonly control: MessagePort;
  readonly chat: MessagePort;
  openBulk(): ByteWriter;
  /** One handler for the streams that the other end opens; the reader's bytes wait until they are read. */
  onBulk(handler: (stream: ByteReader) => void): void;
  /** Unreliable, at most 1 KiB: typing and the like. */
  sendDatagram(bytes: Uint8Array): void;
  onDatagram(handler: (bytes: Uint8Array) => void): void;
  onPath(handler: (path: PathInfo) => void): void;
  /** One handler. The server says that the other end's line to it broke: it may come back, and a direct path may live. */
  onAway(handler: () => void): void;
  /** One handler; a report of before is kept for it. The other end tells how its network is, and wants to know the same of this one or not. */
  onReport(handler: (report: NetworkReport, wanted: boolean) => void): void;
  report(report: NetworkReport, wanted: boolean): void;
  /** Round trip over the session itself. Milliseconds. */
  ping(): Promise<number>;
  /** Never rejects. */
  readonly ended: Promise<SessionEnd>;
  /** Sends what is still queued, says so to the other end, and resolves when done or after a few seconds. */
  close(code?: ErrorCode, reason?: string): Promise<void>;
}
