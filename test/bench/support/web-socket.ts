import type { Socket } from "bun";
import { frame, upgradeRequest } from "../../e2e/raw-http.ts";

export interface WebSocketHandlers {
  /** After the upgrade. */
  readonly opened: () => void;
  /** One whole binary message; the memory is the socket's, for the length of the call. */
  readonly message: (bytes: Uint8Array) => void;
  /** Once. @param reason of the server's close frame; empty when the connection merely ended */
  readonly closed: (reason: string) => void;
}

const EMPTY = new Uint8Array();

/** A WebSocket that costs next to nothing, so that thousands of them in one process do not slow down what is measured. */
export class LightWebSocket {
  readonly #handlers: WebSocketHandlers;
  readonly #path: string;
  #socket: Socket | null = null;
  #rest: Uint8Array = EMPTY;
  #unsent: Uint8Array = EMPTY;
  /** While a chunk is read: what is said in answer to it goes out in one piece. */
  #answers: Uint8Array[] | null = null;
  #upgraded = false;
  #reason = "";
  #over = false;

  constructor(port: number, path: string, handlers: WebSocketHandlers) {
    this.#handlers = handlers;
    this.#path = path;
    const end = () => this.#ended();
    Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        open: (socket) => this.#connected(socket),
        data: (_, bytes) => this.#read(bytes),
        drain: () => this.#write(EMPTY),
        close: end,
        error: end,
        connectError: end,
      },
    }).catch(end);
  }

  /** Bytes that the system has not taken yet. */
  get queuedBytes(): number {
    return this.#unsent.length;
  }

  send(message: Uint8Array): void {
    const bytes = frame({ opcode: 2, payload: message });
    if (this.#answers === null) this.#write(bytes);
    else this.#answers.push(bytes);
  }

  /** Without a goodbye, as a network does that is gone. */
  cut(): void {
    this.#socket?.terminate();
  }

  #connected(socket: Socket): void {
    this.#socket = socket;
    this.#write(Buffer.from(upgradeRequest(this.#path)));
  }

  #write(bytes: Uint8Array): void {
    if (this.#socket === null || this.#over) return;
    const all = this.#unsent.length === 0 ? bytes : Buffer.concat([this.#unsent, bytes]);
    const written = all.length === 0 ? 0 : Math.max(0, this.#socket.write(all));
    this.#unsent = written === all.length ? EMPTY : all.slice(written);
  }

  #read(chunk: Uint8Array): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (!this.#upgraded) {
      const end = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf("\r\n\r\n");
      if (end < 0) return void (this.#rest = bytes.slice());
      this.#upgraded = true;
      bytes = bytes.subarray(end + 4);
      this.#handlers.opened();
    }
    const answers: Uint8Array[] = [];
    this.#answers = answers;
    let at = 0;
    for (let next = this.#frameAt(bytes, at); next > 0; next = this.#frameAt(bytes, at)) at = next;
    this.#rest = at === bytes.length ? EMPTY : bytes.slice(at);
    this.#answers = null;
    if (answers.length > 0) this.#write(Buffer.concat(answers));
  }

  /** RFC 6455 §5.2; a server's frames are not masked. @returns the offset behind it; 0 when it is not whole */
  #frameAt(bytes: Uint8Array, at: number): number {
    const short = (bytes[at + 1] ?? 0) & 127;
    const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
    if (bytes.length < start) return 0;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const length = short < 126 ? short : short === 126 ? view.getUint16(at + 2) : view.getUint32(at + 6);
    const end = start + length;
    if (bytes.length < end) return 0;
    this.#heard((bytes[at] ?? 0) & 15, bytes.subarray(start, end));
    return end;
  }

  #heard(opcode: number, payload: Uint8Array): void {
    if (opcode === 2) this.#handlers.message(payload);
    else if (opcode === 9) this.#write(frame({ opcode: 10, payload: payload.slice() }));
    else if (opcode === 8) this.#reason = Buffer.from(payload.subarray(2)).toString();
  }

  #ended(): void {
    if (this.#over) return;
    this.#over = true;
    this.#handlers.closed(this.#reason);
  }
}
