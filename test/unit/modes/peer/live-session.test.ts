import { expect, test } from "bun:test";
import { WireError } from "../../../../src/wire/errors.ts";
import { MESSAGE_STREAM_WINDOW_BYTES } from "../../../../src/wire/limits.ts";
import { Street } from "../../../support/neighbours.ts";

const PIECE_BYTES = 60_000;
/** What one end's send buffer and the other's credit hold. */
const ROOM = Math.ceil((2 * MESSAGE_STREAM_WINDOW_BYTES) / PIECE_BYTES);

test("bad input 128: messages that nobody reads fill a window and no more, in order once somebody does", async () => {
  await using street = await Street.open();
  const [ana, ben] = await street.pair();
  const [a, b] = await ana.chatWith(ben);
  let taken = 0;
  const sends = Array.from({ length: 3 * ROOM }, async (_, index) => {
    await a.chat.send(new Uint8Array(PIECE_BYTES).fill(index));
    taken++;
  });
  // A round trip behind all that could leave.
  for (let round = 0; round < 5; round++) await a.ping();
  expect(taken).toBeLessThanOrEqual(ROOM);
  const heard: (number | undefined)[] = [];
  b.chat.onMessage((message) => void heard.push(message[0]));
  await Promise.all(sends);
  await a.chat.flushed();
  expect(heard).toEqual(sends.map((_, index) => index));
});

test("bad input 128: what came early and makes no sense ends the session, not the one who begins to listen", async () => {
  await using street = await Street.open();
  const [ana, ben] = await street.pair();
  const [a, b] = await ana.chatWith(ben);
  await a.chat.send(Uint8Array.of(1));
  await a.chat.flushed();
  b.chat.onMessage(() => {
    throw new WireError("bad-message", "nonsense");
  });
  expect(await b.ended).toMatchObject({ code: "bad-message", side: "local" });
  expect(await a.ended).toMatchObject({ code: "bad-message", side: "remote" });
});
