import { CHANNEL_SUBPROTOCOL } from "../../wire/limits.ts";

/**
 * A WebSocket to a server of ours, for binary messages. Compression is not offered: what goes through is sealed and does not shrink,
 * and 1 MB of a hostile server could become more than 100 MB here.
 *
 * Over `wss` any certificate will do. Who the server is, its pinned key proves inside: a channel ends unless the other end holds that key, and a
 * leg carries only packets that the two people sealed for each other. Against somebody in between TLS adds nothing to that, and a server on a
 * bare address can have no certificate that others vouch for. Where no key is known yet, no WebSocket is opened: see `fetchServerKey`.
 */
export function connectWebSocket(url: string): WebSocket {
  const socket = new WebSocket(url, {
    protocols: [CHANNEL_SUBPROTOCOL],
    perMessageDeflate: false,
    tls: { rejectUnauthorized: false },
  });
  socket.binaryType = "arraybuffer";
  return socket;
}
