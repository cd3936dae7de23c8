import { randomBytes } from "node:crypto";
import { systemRandom } from "../../../src/modes/server/system-random.ts";
import { Drive } from "../../../src/modes/runtime/driver.ts";
import { UdpPort } from "../../../src/modes/runtime/udp-port.ts";
import { utf8 } from "../../../src/wire/bytes.ts";
import { MAX_FORWARD_BYTES, MIN_DATAGRAM_BYTES } from "../../../src/wire/limits.ts";
import { relay } from "../../../src/wire/messages/relay.ts";
import { hmacSha256 } from "../../../src/wire/noise/primitives.ts";
import { packetType, writeHead, writeReceiverIndex } from "../../../src/wire/packet/header.ts";
import { LegClient, type LegEvent } from "../../../src/wire/relay/leg-client.ts";
import type { SocketRoute } from "../../../src/wire/traversal/inquiry.ts";
import type { Ringing } from "./ringing.ts";
import { LightWebSocket } from "./web-socket.ts";

/** One end of a relayed session without the session: sends pieces that mean nothing. */
export interface LegEnd extends Disposable {
  /** Of one piece. */
  readonly pieceBytes: number;
  readonly hasRoom: boolean;
  send(): void;
}

/** How many segments go into one send, as a session's bursts have. */
const BURST_PACKETS = 54;

/** Resolves when the leg of this end is bound. @param onArrived hears how many bytes came */
export type OpenLeg = (
  end: Ringing,
  session: Uint8Array,
  port: number,
  onArrived: (bytes: number) => void,
) => Promise<LegEnd>;

/** Messages as large as they may be. */
export const openWebLeg: OpenLeg = async (end, session, port, onArrived) => {
  const answer = await legOf(end, session);
  const bound = Promise.withResolvers<void>();
  let isBound = false;
  const socket: LightWebSocket = new LightWebSocket(port, "/v1/relay", {
    opened: () => undefined,
    closed: (reason) => bound.reject(new Error(`the leg ended: ${reason}`)),
    message(bytes) {
      if (isBound) return onArrived(bytes.length);
      const message = relay.decode(bytes);
      if (message.kind === "challenge") {
        const mac = hmacSha256(answer.key, utf8("p2p leg"), message.nonce, answer.leg);
        socket.send(relay.encode({ kind: "bind", leg: answer.leg, mac }));
      } else if (message.kind === "bound") bound.resolve(void (isBound = true));
      else bound.reject(new Error(`the leg was refused: ${message.kind}`));
    },
  });
  await bound.promise;
  const piece = new Uint8Array(randomBytes(MAX_FORWARD_BYTES));
  return {
    pieceBytes: piece.length,
    get hasRoom() {
      return socket.queuedBytes === 0;
    },
    send: () => socket.send(piece),
    [Symbol.dispose]: () => socket.cut(),
  };
};

/** Bursts of packets of 1200 bytes. Both ends have one receiver index, which their places tell apart. */
export const openUdpLeg: OpenLeg = async (end, session, _port, onArrived) => {
  const { leg, key, ports } = await legOf(end, session);
  const bound = Promise.withResolvers<void>();
  let hasRoom = true;
  const fail = (error: unknown) => bound.reject(error);
  const client = new LegClient({ leg, key, random: systemRandom });
  const port = await UdpPort.open({
    ip: "127.0.0.1",
    offload: true,
    onDatagram: (buffer, remote) =>
      buffer[0] === packetType.sealed ? onArrived(buffer.length) : drive.handleDatagram(buffer, { socket: 0, remote }),
    onDrain: () => void (hasRoom = true),
    onFault: fail,
  });
  const drive: Drive<LegEvent, SocketRoute> = new Drive<LegEvent, SocketRoute>(client, {
    send: ({ bytes, to }) => port.send(bytes, to.remote),
    onEvent: ({ kind }) => (kind === "bound" ? bound.resolve() : undefined),
    onFault: fail,
  });
  const server = { ip: "127.0.0.1", port: ports[0] ?? 0 };
  client.setIndexes(drive.now(), [1]);
  client.start(drive.now(), [{ socket: 0, remote: server }]);
  drive.wake();
  await bound.promise;
  const burst = new Uint8Array(randomBytes(BURST_PACKETS * MIN_DATAGRAM_BYTES));
  for (let at = 0; at < burst.length; at += MIN_DATAGRAM_BYTES) {
    writeHead(burst, at, packetType.sealed, 0, MIN_DATAGRAM_BYTES);
    writeReceiverIndex(burst, at, 1);
  }
  return {
    pieceBytes: burst.length,
    get hasRoom() {
      return hasRoom;
    },
    send: () => void (hasRoom = port.send(burst, server, MIN_DATAGRAM_BYTES)),
    [Symbol.dispose]: () => (drive.stop(), port.close()),
  };
};

async function legOf({ client }: Ringing, session: Uint8Array) {
  const answer = await client.request({ kind: "openLeg", session });
  if (answer.kind !== "leg") throw new Error(`no leg: ${answer.kind}`);
  return answer;
}
