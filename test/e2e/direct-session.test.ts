import { expect, test } from "bun:test";
import { isRelayed } from "../../src/modes/peer/session-path.ts";
import type { PeerSession } from "../../src/modes/peer/peer-session.ts";
import { Street } from "../support/neighbours.ts";

test("a session with a path of its own goes on when the server is gone, and nobody in it notices", async () => {
  await using street = await Street.open();
  const [ana, ben] = await street.pair();
  const [a, b] = await ana.chatWith(ben);
  await Promise.all([isDirect(a), isDirect(b)]);
  const lost = [ana, ben].map(({ node }) => new Promise<boolean>((resolve) => node.onServer(resolve)));
  await street.stage[Symbol.asyncDispose]();
  expect(await Promise.all(lost)).toEqual([false, false]);
  const paths: string[] = [];
  for (const session of [a, b]) session.onPath(({ kind }) => void paths.push(kind));
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    const heard = Promise.withResolvers<Uint8Array>();
    to.chat.onMessage(heard.resolve);
    await from.chat.send(Uint8Array.of(7));
    expect(await heard.promise).toEqual(Uint8Array.of(7));
    await from.ping();
  }
  expect(paths.filter((kind) => kind.startsWith("relay"))).toEqual([]);
  expect([...ana.faults, ...ben.faults]).toEqual([]);
});

async function isDirect(session: PeerSession): Promise<void> {
  const moved = Promise.withResolvers<void>();
  session.onPath((path) => !isRelayed(path) && moved.resolve());
  if (isRelayed(session.path)) await moved.promise;
}
