import { expect, test } from "bun:test";
import { ChannelSocket } from "../../../../src/modes/peer/channel-socket.ts";
import { systemRandom } from "../../../../src/modes/peer/own-device.ts";
import { CHANNEL_SUBPROTOCOL } from "../../../../src/wire/limits.ts";
import { KeyPair } from "../../../../src/wire/noise/primitives.ts";
import { RawChannelServer } from "../../../support/raw-channel.ts";

const keys = KeyPair.generate(systemRandom);

test("a server of the right key that speaks another version is not said to have a wrong key", async () => {
  using server = serving("seals nonsense");
  const socket = new ChannelSocket(server.url, keys, server.key);
  await socket.open();
  socket.request({ kind: "signIn", token: null }).catch(() => undefined);
  expect(await socket.ended).toEqual({
    code: "server-unreachable",
    message: "it says what this version of p2p does not understand",
    retryMs: 0,
  });
});

test("a channel whose next deadline is past sets no timer back in time", async () => {
  const warnings: string[] = [];
  const note = (warning: Error): void => void warnings.push(warning.name);
  process.on("warning", note);
  const now = performance.now.bind(performance);
  try {
    using server = serving("says nothing");
    const socket = new ChannelSocket(server.url, keys, server.key);
    await socket.open();
    let lateMs = 0;
    performance.now = () => now() + (lateMs += 60_000);
    socket.tell({ kind: "pong" });
    performance.now = now;
    await Bun.sleep(0); // for the warning
    socket.close();
    expect(warnings).toEqual([]);
  } finally {
    performance.now = now;
    process.off("warning", note);
  }
});

/** A server of one's own whose key is proven and whose answers are none. */
function serving(how: "seals nonsense" | "says nothing") {
  const serverKeys = KeyPair.generate(systemRandom);
  const server = Bun.serve<RawChannelServer>({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, self) => {
      const options = {
        keys: serverKeys,
        offered: [CHANNEL_SUBPROTOCOL],
        random: systemRandom,
        now: performance.now(),
      };
      const data = new RawChannelServer(options);
      const headers = { "sec-websocket-protocol": CHANNEL_SUBPROTOCOL };
      return self.upgrade(request, { data, headers }) ? undefined : new Response("a WebSocket, please");
    },
    websocket: {
      message: (socket, message) => {
        try {
          const { reply } = socket.data.handle(Buffer.from(message));
          if (reply !== null) socket.sendBinary(reply);
          else if (how === "seals nonsense") socket.sendBinary(socket.data.sealBytes(Buffer.from("no message")));
        } catch {
          socket.close();
        }
      },
    },
  });
  return {
    url: `ws://127.0.0.1:${server.port}`,
    key: serverKeys.publicKey,
    [Symbol.dispose]: () => void server.stop(true),
  };
}
