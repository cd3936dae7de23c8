import { expect, test } from "bun:test";
import { LiveArea } from "../../../../../src/modes/peer/chat/live-area.ts";
import { VirtualScreen } from "../../../../support/virtual-screen.ts";

function area(screen: VirtualScreen): LiveArea {
  return new LiveArea(
    (text) => screen.write(text),
    () => screen.columns,
  );
}

test("draw() puts what is said above and leaves the rows and the cursor below", () => {
  const screen = new VirtualScreen(40, 6);
  const live = area(screen);
  live.draw(["one"], ["status", "> a"], 3);
  live.draw(["two", "three"], ["a question", "status", "> ab"], 4);
  live.draw(["four"], ["status", "> abc"], 2);
  expect(screen.text).toBe("one\ntwo\nthree\nfour\nstatus\n> abc");
  expect([screen.cursorLine, screen.cursorColumn]).toEqual(["> abc", 2]);
});

test("draw() scrolls what is said off a small screen and loses none of it", () => {
  const screen = new VirtualScreen(20, 3);
  const live = area(screen);
  const said = Array.from({ length: 50 }, (_, at) => `line ${at}`);
  for (const line of said) live.draw([line], ["status", "> "], 2);
  expect(screen.text).toBe([...said, "status", ">"].join("\n"));
});

test("clear() leaves nothing below what was said", () => {
  const screen = new VirtualScreen(20, 5);
  const live = area(screen);
  live.draw(["said"], ["status", "> typed"], 7);
  live.clear();
  expect(screen.text).toBe("said");
  expect(screen.cursorColumn).toBe(0);
});

test("a screen made narrower has broken the rows that stood there, and all of them are taken away", () => {
  const screen = new VirtualScreen(20, 8);
  const live = area(screen);
  live.draw(["said"], ["status of 19 columns", "> 0123456789012345"], 18);
  // As a terminal that breaks its rows anew shows them at half the width, with the cursor in the last.
  screen.columns = 10;
  screen.write("\r\u001b[1A\u001b[Jstatus of 19 columns\r\n> 0123456789012345");
  live.draw([], ["st", "> 01"], 4);
  expect(screen.text).toBe("said\nst\n> 01");
});
