import { expect, test } from "bun:test";
import { type Neighbour, Street } from "../support/neighbours.ts";

/** Resolves when the line to the server is up again after it broke. */
function backAgain({ link }: Neighbour): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  link.onState = (isUp) => {
    if (isUp) resolve();
  };
  return promise;
}

test("bad input 37: people come back when the goodbye of their server says, not all at once", async () => {
  await using street = await Street.open();
  const [late, soon] = [await street.moveIn("late"), await street.moveIn("soon")];
  const order: string[] = [];
  const back = [late, soon].map(async (each) => backAgain(each).then(() => void order.push(each.name)));
  const pausesMs = new Map([
    [late.name, 1_500],
    [soon.name, 0],
  ]);
  for (const member of street.stage.meeting.services.members.all())
    member.end("terminated", pausesMs.get(member.identity.name) ?? 0);
  await Promise.all(back);
  expect(order).toEqual(["soon", "late"]);
});
