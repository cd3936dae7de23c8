import { CHANNEL_SUBPROTOCOL } from "../../wire/limits.ts";

/**
 * A WebSocket to a server of ours, for binary messages. Compression is not offered: what goes through is sealed and does not shrink,
 * and 1 MB of a hostile server could become more than 100 MB here.
 */
export function connectWebSocket(url: string): WebSocket {
  const socket = new WebSocket(url, { protocols: [CHANNEL_SUBPROTOCOL], perMessageDeflate: false });
  socket.binaryType = "arraybuffer";
  return socket;
}
