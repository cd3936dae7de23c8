import { type Packet, tcpStreams } from "./pcap.ts";

/** Something to look for, and what it is. */
export interface Secret {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** All that somebody on the line can read without a key: datagrams, TCP streams, and what WebSockets carry, unmasked. */
export function readable(packets: readonly Packet[]): readonly Buffer[] {
  const streams = tcpStreams(packets);
  const datagrams = packets.filter(({ protocol }) => protocol !== "tcp").map(({ payload }) => payload);
  return [...datagrams, ...streams, ...streams.map(webSocketPayload)].map((bytes) => Buffer.from(bytes));
}

/** @returns the names of the secrets that stand there in any usual spelling */
export function found(secrets: readonly Secret[], text: readonly Buffer[]): readonly string[] {
  return secrets.flatMap(({ name, bytes }) =>
    spellings(bytes)
      .filter(([, spelled]) => text.some((each) => each.includes(spelled)))
      .map(([spelling]) => `${name} (${spelling})`),
  );
}

function spellings(bytes: Uint8Array): readonly (readonly [string, Buffer])[] {
  const raw = Buffer.from(bytes);
  const hex = raw.toString("hex");
  return [
    ["raw", raw],
    ["UTF-16", Buffer.from(raw.toString("latin1"), "utf16le")],
    ["hex", Buffer.from(hex)],
    ["HEX", Buffer.from(hex.toUpperCase())],
    ...[0, 1, 2].flatMap((offset) =>
      (["base64", "base64url"] as const).map((name) => [name, Buffer.from(inBase64(raw, offset, name))] as const),
    ),
  ];
}

/** As it reads inside a longer text, `offset` bytes behind a group of three: without the letters at its ends that hold other bits, too. */
function inBase64(bytes: Buffer, offset: number, name: "base64" | "base64url"): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString(name)
    .replaceAll("=", "");
  const isWhole = (offset + bytes.length) % 3 === 0;
  return text.slice(Math.ceil((offset * 4) / 3), isWhole ? undefined : -1);
}

/** What the frames of one direction of a WebSocket carry; empty for other streams. RFC 6455 §5.2. */
function webSocketPayload(stream: Uint8Array): Uint8Array {
  const buffer = Buffer.from(stream);
  const head = buffer.indexOf("\r\n\r\n");
  if (head < 0 || !/^upgrade: websocket/im.test(buffer.toString("latin1", 0, head))) return new Uint8Array();
  const payloads: Uint8Array[] = [];
  for (let at = head + 4; at + 2 <= buffer.length;) {
    const isMasked = ((buffer[at + 1] ?? 0) & 0x80) !== 0;
    const [length, lengthBytes] = frameLength(buffer, at + 1);
    const maskAt = at + 1 + lengthBytes;
    const begin = maskAt + (isMasked ? 4 : 0);
    const payload = buffer.subarray(begin, begin + length);
    payloads.push(isMasked ? payload.map((byte, index) => byte ^ (buffer[maskAt + (index & 3)] ?? 0)) : payload);
    at = begin + length;
  }
  return Buffer.concat(payloads);
}

function frameLength(buffer: Buffer, at: number): readonly [length: number, bytes: number] {
  const short = (buffer[at] ?? 0) & 0x7f;
  if (short === 126) return [buffer.readUInt16BE(at + 1), 3];
  if (short === 127) return [Number(buffer.readBigUInt64BE(at + 1)), 9];
  return [short, 1];
}
