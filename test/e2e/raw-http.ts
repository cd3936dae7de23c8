import { connect, type Socket } from "node:net";

/** A TCP connection that says whatever it is told to. */
export class RawConnection {
  readonly socket: Socket;
  /** All bytes until the other end closed. */
  readonly ended: Promise<Uint8Array>;
  readonly #chunks: Uint8Array[] = [];
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Uint8Array) => {
      this.#chunks.push(chunk);
      this.#wake();
    });
    socket.on("error", () => undefined);
    this.ended = new Promise((resolve) =>
      socket.on("close", () => {
        this.#wake();
        resolve(this.received);
      }),
    );
  }

  static open(port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("error", reject);
      socket.once("connect", () => resolve(new RawConnection(socket)));
    });
  }

  /** After the upgrade. */
  static async webSocket(port: number, path = "/v1/channel", headers: readonly string[] = []): Promise<RawConnection> {
    const connection = await RawConnection.open(port);
    connection.write(upgradeRequest(path, headers));
    await connection.until((text) => text.includes("\r\n\r\n"));
    return connection;
  }

  get received(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#chunks));
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString("latin1");
  }

  write(data: string | Uint8Array): void {
    this.socket.write(data);
  }

  async until(done: (text: string) => boolean): Promise<string> {
    while (!done(this.text) && !this.socket.closed) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.text;
  }

  close(): void {
    this.socket.destroy();
  }
}

export function upgradeRequest(path: string, headers: readonly string[] = []): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    "Host: 127.0.0.1",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ...(headers.some((header) => /^sec-websocket-protocol:/i.test(header)) ? [] : ["Sec-WebSocket-Protocol: p2p1"]),
    ...headers,
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

export interface Frame {
  readonly opcode: number;
  readonly payload?: Uint8Array;
  readonly fin?: boolean;
  /** RSV1–3, as their bits 0x40, 0x20, 0x10. */
  readonly reserved?: number;
  readonly masked?: boolean;
  /** What the header claims. */
  readonly length?: number | bigint;
}

/** RFC 6455 §5.2, with everything that may be wrong. The mask is zero. */
export function frame({
  opcode,
  payload = new Uint8Array(),
  fin = true,
  reserved = 0,
  masked = true,
  length,
}: Frame): Uint8Array {
  const claimed = length ?? payload.length;
  const first = (fin ? 0x80 : 0) | reserved | opcode;
  const mask = masked ? 0x80 : 0;
  const size =
    claimed < 126
      ? Uint8Array.of(mask | Number(claimed))
      : claimed < 65_536
        ? Uint8Array.of(mask | 126, Number(claimed) >> 8, Number(claimed) & 255)
        : long(mask, BigInt(claimed));
  return new Uint8Array(
    Buffer.concat([Uint8Array.of(first), size, masked ? new Uint8Array(4) : new Uint8Array(), payload]),
  );
}

function long(mask: number, claimed: bigint): Uint8Array {
  const bytes = new Uint8Array(9);
  bytes[0] = mask | 127;
  new DataView(bytes.buffer).setBigUint64(1, claimed);
  return bytes;
}

/** The code in the close frame at the end of what a server said; null when there is none. */
export function closeCodeIn(bytes: Uint8Array): number | null {
  const head = Buffer.from(bytes).indexOf("\r\n\r\n");
  let next = head < 0 ? bytes.length : head + 4;
  while (next + 2 <= bytes.length) {
    const [opcode, length] = [(bytes[next] ?? 0) & 15, bytes[next + 1] ?? 0];
    const extended = length === 126 ? 2 : length === 127 ? 8 : 0;
    const start = next + 2 + extended;
    if (opcode === 8) return ((bytes[start] ?? 0) << 8) | (bytes[start + 1] ?? 0);
    next = start + (extended === 2 ? ((bytes[next + 2] ?? 0) << 8) | (bytes[next + 3] ?? 0) : length);
  }
  return null;
}
