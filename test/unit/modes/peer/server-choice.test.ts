import { expect, test } from "bun:test";
import { withServerKey } from "../../../../src/modes/peer/server-choice.ts";

function keyOf(port: number | undefined) {
  const line = { secure: false, nodes: [{ host: "127.0.0.1", port: port ?? 0 }], key: null, invite: null };
  return withServerKey(line, () => Promise.resolve(true));
}

test("a server without a key says whether nobody is there or somebody else is", async () => {
  const web = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("welcome") });
  const { port } = web;
  const code = "server-unreachable";
  const other = `cannot reach the server at 127.0.0.1:${port}: it does not answer as a p2p server does`;
  expect(await keyOf(port).catch((error: unknown) => error)).toMatchObject({ code, message: other });
  await web.stop(true);
  const nobody = `cannot reach the server at 127.0.0.1:${port}: nothing listens there`;
  expect(await keyOf(port).catch((error: unknown) => error)).toMatchObject({ code, message: nobody });
});
