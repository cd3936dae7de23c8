import { UserError } from "../../src/modes/cli/errors.ts";
import type {
  ByteReader,
  ByteWriter,
  MessagePort,
  PathInfo,
  PeerSession,
  SessionEnd,
} from "../../src/modes/peer/peer-session.ts";
import type { SessionFigures } from "../../src/modes/peer/session-figures.ts";
import type { NetworkReport } from "../../src/wire/traversal/network-report.ts";
import { type ErrorCode, WireError } from "../../src/wire/errors.ts";
import { MESSAGE_STREAM_WINDOW_BYTES, SESSION_WINDOW_BYTES } from "../../src/wire/limits.ts";

export interface PairOptions {
  /** What `a` and `b` are called. */
  readonly names?: readonly [string, string];
  /** Credit of each bulk stream. Bytes. */
  readonly streamWindowBytes?: number;
  /** Credit of all bulk streams of one direction. Bytes. */
  readonly sessionWindowBytes?: number;
  /** The pieces that a bulk stream arrives in. Bytes. */
  readonly pieceBytes?: number;
}

export interface SessionPair {
  readonly a: PeerSession;
  readonly b: PeerSession;
  /** Both ends lose each other, as when every path died for good. */
  cut(): void;
  /** Both ends are told that they speak over this path from now on. */
  move(path: PathInfo): void;
  /** `a` hears from the server that `b` is away, and from `b` no answer any more. */
  silence(): void;
}

/** Two ends of one session in one process, without packets in between: the queues, their bounds and the back-pressure are real. */
export function sessionPair(options: PairOptions = {}): SessionPair {
  const [nameOfA, nameOfB] = options.names ?? ["ana", "ben"];
  const limits: Limits = {
    streamBytes: options.streamWindowBytes ?? 4 * 1_024 * 1_024,
    sessionBytes: options.sessionWindowBytes ?? SESSION_WINDOW_BYTES,
    pieceBytes: options.pieceBytes ?? 61_234,
  };
  const a = new End(nameOfB, limits);
  const b = new End(nameOfA, limits);
  a.meet(b);
  b.meet(a);
  return {
    a,
    b,
    cut: () => [a, b].forEach((end) => end.finish({ code: "peer-gone", reason: "no path is left", side: "remote" })),
    silence: () => a.goSilent(),
    move: (path) => [a, b].forEach((end) => end.moveTo(path)),
  };
}

interface Limits {
  readonly streamBytes: number;
  readonly sessionBytes: number;
  readonly pieceBytes: number;
}

class End implements PeerSession {
  readonly id = "5e".repeat(16);
  readonly safetyNumber = "0123456789".repeat(6);
  readonly peer: string;
  readonly limits: Limits;
  readonly changes: Changes = new Changes();
  readonly control: Port = new Port(this);
  readonly chat: Port = new Port(this);
  readonly ended: Promise<SessionEnd>;
  path: PathInfo = { kind: "relay-ws", remote: "192.0.2.1:7420", rttMs: 1, why: "sessions begin here" };
  readonly relayedBecause = null;
  /** Of all bulk streams towards the other end: written and not consumed there. */
  unconsumedBytes = 0;
  readonly #streams: Inbox<ByteReader> = new Inbox(this);
  readonly #datagrams: Inbox<Uint8Array> = new Inbox(this);
  #other: End | null = null;
  #end: SessionEnd | null = null;
  #isSilent = false;
  #resolveEnded: (end: SessionEnd) => void = () => undefined;
  #onPath: (path: PathInfo) => void = () => undefined;
  #onAway: () => void = () => undefined;
  #onReport: (report: NetworkReport, wanted: boolean) => void = () => undefined;

  constructor(peer: string, limits: Limits) {
    this.peer = peer;
    this.limits = limits;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  meet(other: End): void {
    this.#other = other;
    this.control.meet(other.control);
    this.chat.meet(other.chat);
  }

  get figures(): SessionFigures {
    const times = { application: 0, credit: 0, buffer: 0, window: 0, pacing: 0, path: 0 };
    const packets = { sentPackets: 0, receivedPackets: 0, lostPackets: 0, spuriousPackets: 0, rekeys: 0 };
    const bytes = { sentBytes: 0, receivedBytes: 0, repeatedBytes: 0, mtuBytes: null, windowBytes: null };
    return { ...packets, ...bytes, bytesInFlight: null, rttMs: 1, minRttMs: null, limitTimes: times };
  }

  openBulk(): ByteWriter {
    return new Stream(this, (reader) => this.#other?.take(reader));
  }

  take(stream: ByteReader): void {
    this.#streams.put(stream);
  }

  onBulk(handler: (stream: ByteReader) => void): void {
    this.#streams.open(handler);
  }

  sendDatagram(bytes: Uint8Array): void {
    if (bytes.length > 1_024) throw new RangeError("a datagram has at most 1 KiB");
    this.#other?.takeDatagram(bytes.slice());
  }

  takeDatagram(bytes: Uint8Array): void {
    this.#datagrams.put(bytes);
  }

  onDatagram(handler: (bytes: Uint8Array) => void): void {
    this.#datagrams.open(handler);
  }

  onPath(handler: (path: PathInfo) => void): void {
    this.#onPath = handler;
  }

  moveTo(path: PathInfo): void {
    this.path = path;
    this.#onPath(path);
  }

  onAway(handler: () => void): void {
    this.#onAway = handler;
  }

  onReport(handler: (report: NetworkReport, wanted: boolean) => void): void {
    this.#onReport = handler;
  }

  report(report: NetworkReport, wanted: boolean): void {
    this.#other?.takeReport(report, wanted);
  }

  takeReport(report: NetworkReport, wanted: boolean): void {
    this.#onReport(report, wanted);
  }

  /** Nothing comes from the other end any more, and the server says so. */
  goSilent(): void {
    this.#isSilent = true;
    this.#onAway();
  }

  async ping(): Promise<number> {
    this.check();
    if (this.#isSilent) await this.ended;
    this.check();
    return this.path.rttMs;
  }

  async close(code: ErrorCode = "peer-gone", reason = "finished"): Promise<void> {
    await this.changes.until(() => this.#end !== null || (this.control.isFlushed && this.chat.isFlushed));
    this.finish({ code, reason, side: "local" });
    this.#other?.finish({ code, reason, side: "remote" });
  }

  /** Only the first end counts. */
  finish(end: SessionEnd): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#resolveEnded(end);
    this.changes.happened();
  }

  fail(error: unknown): void {
    const code = error instanceof WireError ? error.code : "internal";
    this.finish({ code, reason: String(error), side: "local" });
    this.#other?.finish({ code, reason: "", side: "remote" });
  }

  /** What was taken here, the other end may be waiting for. */
  changed(): void {
    this.#other?.changes.happened();
  }

  get isOver(): boolean {
    return this.#end !== null;
  }

  /** @throws UserError when the session has ended */
  check(): void {
    const end = this.#end;
    if (end !== null) throw new UserError(end.code, `the session ended: ${end.reason}`, { side: end.side });
  }

  /** Resolves when `condition` holds. @throws UserError when the session ends before */
  async until(condition: () => boolean): Promise<void> {
    await this.changes.until(() => this.isOver || condition());
    this.check();
  }
}

/** Lets many wait for conditions over state that few change. */
class Changes {
  #next = Promise.withResolvers<void>();

  happened(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers();
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#next.promise;
  }
}

/** Keeps what comes before there is a handler; calls it for one thing at a time, never from within the other end's call. */
class Inbox<Item> {
  readonly #end: End;
  readonly #items: Item[] = [];
  readonly #onTaken: (item: Item) => void;
  #handler: ((item: Item) => void) | null = null;
  #running = false;

  constructor(end: End, onTaken: (item: Item) => void = () => undefined) {
    this.#end = end;
    this.#onTaken = onTaken;
  }

  put(item: Item): void {
    this.#items.push(item);
    void this.#run();
  }

  open(handler: (item: Item) => void): void {
    this.#handler = handler;
    void this.#run();
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    for (await Promise.resolve(); this.#handler !== null && !this.#end.isOver; await Promise.resolve()) {
      const item = this.#items.shift();
      if (item === undefined) break;
      this.#onTaken(item);
      this.#hand(this.#handler, item);
    }
    this.#running = false;
  }

  #hand(handler: (item: Item) => void, item: Item): void {
    try {
      handler(item);
    } catch (error) {
      this.#end.fail(error);
    }
  }
}

class Port implements MessagePort {
  readonly #end: End;
  readonly #inbox: Inbox<Uint8Array>;
  #other: Port | null = null;
  #waitingBytes = 0;
  #unsent = 0;
  #lastSend: Promise<void> = Promise.resolve();

  constructor(end: End) {
    this.#end = end;
    this.#inbox = new Inbox(end, (message) => {
      this.#waitingBytes -= message.length;
      this.#end.changed();
    });
  }

  meet(other: Port): void {
    this.#other = other;
  }

  get isFlushed(): boolean {
    return this.#unsent === 0 && (this.#other?.isRead ?? true);
  }

  get isRead(): boolean {
    return this.#waitingBytes === 0;
  }

  send(message: Uint8Array): Promise<void> {
    const copy = message.slice();
    this.#unsent += 1;
    const sending = this.#lastSend.then(() => this.#sendNext(copy));
    this.#lastSend = sending.catch(() => undefined);
    return sending;
  }

  async #sendNext(message: Uint8Array): Promise<void> {
    await this.#end.until(() => this.#other?.hasRoomFor(message) ?? false);
    this.#unsent -= 1;
    this.#other?.take(message);
  }

  hasRoomFor(message: Uint8Array): boolean {
    return this.#waitingBytes === 0 || this.#waitingBytes + message.length <= MESSAGE_STREAM_WINDOW_BYTES;
  }

  take(message: Uint8Array): void {
    this.#waitingBytes += message.length;
    this.#inbox.put(message);
  }

  flushed(): Promise<void> {
    return this.#end.until(() => this.isFlushed);
  }

  onMessage(handler: (message: Uint8Array) => void): void {
    this.#inbox.open(handler);
  }
}

/** One way of a bulk stream, both ends in one. */
class Stream implements ByteWriter {
  readonly #from: End;
  readonly #announce: (reader: ByteReader) => void;
  readonly #pieces: Uint8Array[] = [];
  #isAnnounced = false;
  #isFinished = false;
  #reset: ErrorCode | null = null;
  #stopped: ErrorCode | null = null;
  /** Handed out by `read` and not consumed. */
  #handedBytes = 0;
  #unconsumedBytes = 0;
  #lastWrite: Promise<void> = Promise.resolve();

  constructor(from: End, announce: (reader: ByteReader) => void) {
    this.#from = from;
    this.#announce = announce;
  }

  write(bytes: Uint8Array): Promise<void> {
    const writing = this.#lastWrite.then(() => this.#writeNext(bytes));
    this.#lastWrite = writing.catch(() => undefined);
    return writing;
  }

  async #writeNext(bytes: Uint8Array): Promise<void> {
    const { pieceBytes } = this.#from.limits;
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const piece = bytes.subarray(at, at + pieceBytes);
      await this.#from.until(() => this.#cannotWrite || this.#hasCreditFor(piece));
      this.#checkWriting();
      this.#put(piece.slice());
    }
  }

  #hasCreditFor(piece: Uint8Array): boolean {
    const { streamBytes, sessionBytes } = this.#from.limits;
    const inSession = this.#from.unconsumedBytes + piece.length <= sessionBytes;
    return inSession && this.#unconsumedBytes + piece.length <= streamBytes;
  }

  #put(piece: Uint8Array): void {
    this.#unconsumedBytes += piece.length;
    this.#from.unconsumedBytes += piece.length;
    this.#pieces.push(piece);
    this.#changed();
  }

  async finish(): Promise<void> {
    await this.#lastWrite;
    this.#from.check();
    this.#checkWriting();
    this.#isFinished = true;
    this.#changed();
  }

  reset(code: ErrorCode): void {
    if (this.#cannotWrite) return;
    this.#reset = code;
    this.#drop();
  }

  get #cannotWrite(): boolean {
    return this.#isFinished || this.#reset !== null || this.#stopped !== null;
  }

  #checkWriting(): void {
    if (this.#stopped !== null) throw new UserError(this.#stopped, "the other end stopped reading", { side: "remote" });
    if (this.#cannotWrite) throw new RangeError("nothing is written behind the end of a stream");
  }

  #changed(): void {
    if (!this.#isAnnounced) this.#announce(this.#reader());
    this.#isAnnounced = true;
    this.#from.changes.happened();
  }

  #reader(): ByteReader {
    return {
      read: () => this.#read(),
      consumed: (bytes) => this.#consumed(bytes),
      stop: (code) => {
        this.#stopped ??= code;
        this.#drop();
      },
    };
  }

  async #read(): Promise<Uint8Array | null> {
    await this.#from.until(() => this.#pieces.length > 0 || this.#cannotWrite);
    if (this.#reset !== null) throw new UserError(this.#reset, "the other end gave up the stream", { side: "remote" });
    if (this.#stopped !== null) throw new UserError(this.#stopped, "reading was stopped");
    const piece = this.#pieces.shift() ?? null;
    this.#handedBytes += piece?.length ?? 0;
    return piece;
  }

  #consumed(bytes: number): void {
    if (this.#reset !== null || this.#stopped !== null) return;
    if (bytes < 0 || bytes > this.#handedBytes) throw new RangeError("credit for bytes that were never handed out");
    this.#handedBytes -= bytes;
    this.#unconsumedBytes -= bytes;
    this.#from.unconsumedBytes -= bytes;
    this.#from.changes.happened();
  }

  /** What was not read goes, and all that was not consumed is credit again. */
  #drop(): void {
    this.#pieces.length = 0;
    this.#from.unconsumedBytes -= this.#unconsumedBytes;
    this.#unconsumedBytes = 0;
    this.#handedBytes = 0;
    this.#changed();
  }
}
