import type { ServerWebSocket, WebSocketHandler } from "bun";
import { MAX_SIGNALLING_BYTES } from "../../wire/limits.ts";
import type { Log } from "../runtime/log.ts";
import type { Clock } from "./clock.ts";
import { TokenBucket } from "./rate-limit.ts";
import type { Refusal } from "./refusal.ts";
import { closeCodes, type SocketHandler, type WebSocketPort } from "./web-socket-port.ts";

/** A message and its tag, and room for the head of a rekey. */
const MAX_PAYLOAD_BYTES = MAX_SIGNALLING_BYTES + 1_024;
/** Beyond this a reader is too slow to be waited for. */
const MAX_BACKPRESSURE_BYTES = 4 * 1_024 * 1_024;
/** The runtime pings shortly before, so that who is silent for good is gone within 90 s. */
const IDLE_SECONDS = 75;
const STALLED_MS = 30_000;
const PINGS = { perSecond: 2, burst: 60 };
/** Messages up to this length wait for the end of the turn, so that those for one socket go to the system together. */
const MAX_WAITING_BYTES = 4_096;

/** What becomes of an upgrade: a life, or a refusal that the other end can read. */
export type Upgrade =
  | { readonly open: (port: WebSocketPort) => SocketHandler; readonly leave: () => void; readonly ip: string }
  | { readonly refusal: Refusal; readonly ip: string };

export interface SocketData {
  readonly upgrade: Upgrade;
  socket: OpenSocket | null;
}

interface OpenSocket {
  readonly handler: SocketHandler;
  readonly port: BunSocketPort;
  readonly pings: TokenBucket;
}

export interface SocketsOptions {
  readonly clock: Clock;
  readonly log: Log;
}

/** The one place where the runtime calls us with what came over a WebSocket: nothing that is thrown leaves it. */
export function webSockets({ clock, log }: SocketsOptions): WebSocketHandler<SocketData> {
  const guarded = (ws: ServerWebSocket<SocketData>, action: () => void) => {
    try {
      action();
    } catch (error) {
      log.error("socket-defect", { error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
      ws.close(closeCodes.defect, "");
    }
  };
  const outbox = new Outbox(guarded);
  return {
    maxPayloadLength: MAX_PAYLOAD_BYTES,
    backpressureLimit: MAX_BACKPRESSURE_BYTES,
    closeOnBackpressureLimit: true,
    idleTimeout: IDLE_SECONDS,
    perMessageDeflate: false,
    open: (ws) => guarded(ws, () => opened(ws, clock, outbox)),
    message: (ws, message) => guarded(ws, () => received(ws, message)),
    drain: (ws) =>
      guarded(ws, () => {
        ws.data.socket?.port.drained();
        ws.data.socket?.handler.drained?.();
      }),
    ping: (ws) => guarded(ws, () => pinged(ws, clock)),
    close: (ws) =>
      guarded(ws, () => {
        ws.data.socket?.port.drained();
        ws.data.socket?.handler.closed();
      }),
  };
}

function opened(ws: ServerWebSocket<SocketData>, clock: Clock, outbox: Outbox): void {
  const { upgrade } = ws.data;
  ws.binaryType = "uint8array";
  if ("refusal" in upgrade) {
    const { code, retryMs } = upgrade.refusal;
    return ws.close(closeCodes.tryLater, `${code} ${Math.ceil(retryMs / 1_000)}`);
  }
  const port = new BunSocketPort(ws, upgrade.ip, clock, outbox);
  ws.data.socket = { handler: upgrade.open(port), port, pings: new TokenBucket(PINGS, clock.now()) };
}

function received(ws: ServerWebSocket<SocketData>, message: string | Uint8Array): void {
  if (typeof message === "string") ws.close(closeCodes.binaryOnly, "");
  else ws.data.socket?.handler.receive(message);
}

function pinged(ws: ServerWebSocket<SocketData>, clock: Clock): void {
  if ((ws.data.socket?.pings.take(clock.now()) ?? 0) > 0) ws.close(closeCodes.policy, "");
}

/** The ports that have something to send at the end of this turn, when whatever else came in was dealt with. */
class Outbox {
  readonly #guarded: (ws: ServerWebSocket<SocketData>, action: () => void) => void;
  #ports: BunSocketPort[] = [];

  constructor(guarded: (ws: ServerWebSocket<SocketData>, action: () => void) => void) {
    this.#guarded = guarded;
  }

  add(port: BunSocketPort): void {
    if (this.#ports.push(port) === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const ports = this.#ports;
    this.#ports = [];
    for (const port of ports) this.#guarded(port.socket, () => port.flush());
  }
}

class BunSocketPort implements WebSocketPort {
  readonly ip: string;
  readonly socket: ServerWebSocket<SocketData>;
  readonly #clock: Clock;
  readonly #outbox: Outbox;
  /** Until the end of the turn. */
  #waiting: Uint8Array[] | null = null;
  #cancelStall: (() => void) | null = null;

  constructor(ws: ServerWebSocket<SocketData>, ip: string, clock: Clock, outbox: Outbox) {
    this.socket = ws;
    this.ip = ip;
    this.#clock = clock;
    this.#outbox = outbox;
  }

  get queuedBytes(): number {
    return this.socket.getBufferedAmount();
  }

  send(bytes: Uint8Array): void {
    if (this.#waiting !== null) this.#waiting.push(bytes);
    else if (bytes.length > MAX_WAITING_BYTES) return this.#write([bytes]);
    else {
      this.#waiting = [bytes];
      return this.#outbox.add(this);
    }
    if (bytes.length > MAX_WAITING_BYTES) this.flush();
  }

  flush(): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting !== null) this.#write(waiting);
  }

  drained(): void {
    this.#cancelStall?.();
    this.#cancelStall = null;
  }

  close(code: number, reason: string): void {
    this.flush();
    this.socket.close(code, reason);
  }

  #write(messages: readonly Uint8Array[]): void {
    const [only] = messages;
    if (this.socket.readyState !== WebSocket.OPEN || only === undefined) return;
    if (messages.length === 1) this.socket.sendBinary(only);
    else this.socket.cork((ws) => messages.forEach((bytes) => ws.sendBinary(bytes)));
    if (this.socket.getBufferedAmount() > 0)
      this.#cancelStall ??= this.#clock.after(STALLED_MS, () => this.socket.terminate());
  }
}
