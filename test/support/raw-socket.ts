import { connect, type Socket } from "node:net";
import { frame, upgradeRequest } from "../e2e/raw-http.ts";

/** A WebSocket by hand: it says whatever it is told to, from whichever address of 127.0.0.0/8, and keeps what it hears. */
export class RawSocket implements Disposable {
  /** Whole binary messages of the server. */
  readonly messages: Uint8Array[] = [];
  /** In the server's close frame; null before, and when it merely hangs up. */
  closeCode: number | null = null;
  closeReason = "";
  /** Resolves when the connection is over. */
  readonly ended: Promise<void>;
  readonly #socket: Socket;
  #upgraded = false;
  #isOver = false;
  #rest = Buffer.alloc(0);
  #news = Promise.withResolvers<void>();

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", () => undefined);
    this.ended = new Promise((resolve) =>
      socket.on("close", () => {
        this.#isOver = true;
        this.#tell();
        resolve();
      }),
    );
  }

  /** Resolves after the upgrade. */
  static async open(port: number, source = "127.0.0.1", path = "/v1/channel"): Promise<RawSocket> {
    const raw = new RawSocket(connect({ host: "127.0.0.1", port, localAddress: source }));
    raw.#socket.write(upgradeRequest(path));
    await raw.#until(() => raw.#upgraded);
    return raw;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Frames, or anything else. */
  write(bytes: Uint8Array): void {
    if (!this.#isOver) this.#socket.write(bytes);
  }

  send(message: Uint8Array): void {
    this.write(frame({ opcode: 2, payload: message }));
  }

  /** The next message that nobody took; null when the connection ends first. */
  async next(): Promise<Uint8Array | null> {
    await this.#until(() => this.messages.length > 0);
    return this.messages.shift() ?? null;
  }

  /** Says nothing more, and waits until the server has read all that was said. */
  async finish(): Promise<void> {
    this.#socket.end();
    await this.ended;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  async #until(done: () => boolean): Promise<void> {
    while (!done() && !this.#isOver) await this.#news.promise;
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers<void>();
  }

  #read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    if (!this.#upgraded) this.#readHead();
    if (this.#upgraded) while (this.#readFrame());
    this.#tell();
  }

  #readHead(): void {
    const end = this.#rest.indexOf("\r\n\r\n");
    if (end < 0 || !this.#rest.subarray(0, 12).equals(Buffer.from("HTTP/1.1 101"))) return;
    this.#rest = this.#rest.subarray(end + 4);
    this.#upgraded = true;
  }

  /** RFC 6455 §5.2; what a server sends is not masked. @returns whether there was a whole one */
  #readFrame(): boolean {
    if (this.#rest.length < 2) return false;
    const short = this.#rest.readUInt8(1);
    const start = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (this.#rest.length < start) return false;
    const length =
      short < 126 ? short : short === 126 ? this.#rest.readUInt16BE(2) : Number(this.#rest.readBigUInt64BE(2));
    if (this.#rest.length < start + length) return false;
    this.#heard(this.#rest.readUInt8(0) & 15, this.#rest.subarray(start, start + length));
    this.#rest = this.#rest.subarray(start + length);
    return true;
  }

  #heard(opcode: number, payload: Buffer): void {
    if (opcode === 2) this.messages.push(new Uint8Array(payload));
    if (opcode !== 8) return;
    this.closeCode = payload.length < 2 ? null : payload.readUInt16BE(0);
    this.closeReason = payload.subarray(2).toString("utf8");
  }
}
