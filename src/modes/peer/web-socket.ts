import { CHANNEL_SUBPROTOCOL } from "../../wire/limits.ts";
import { proxyFor } from "./proxy.ts";

/**
 * A WebSocket to a server of ours, for binary messages. Compression is not offered: what goes through is sealed and does not shrink,
 * and 1 MB of a hostile server could become more than 100 MB here.
 *
 * Over `wss` any certificate will do. Who the server is, its pinned key proves inside: a channel ends unless the other end holds that key, and a
 * leg carries only packets that the two people sealed for each other. Against somebody in between TLS adds nothing to that, and a server on a
 * bare address can have no certificate that others vouch for. Where no key is known yet, no WebSocket is opened: see `fetchServerKey`.
 *
 * A proxy of the environment is asked for a tunnel (CONNECT), with TLS or without; the certificate of one that is reached by https has
 * to be valid, because it may be told a password.
 * @throws UserError `config` when the environment names a proxy that cannot be used
 */
export function connectWebSocket(url: string): WebSocket {
  const proxy = proxyFor(url);
  const socket = new WebSocket(url, {
    protocols: [CHANNEL_SUBPROTOCOL],
    perMessageDeflate: false,
    tls: { rejectUnauthorized: false },
    ...(proxy !== null && { proxy: { url: proxy.url, tls: {} } }),
  });
  socket.binaryType = "arraybuffer";
  return socket;
}
