import { expect, test } from "bun:test";
import { hasTerminal, Terminal } from "./terminal.ts";

test.skipIf(!hasTerminal)("Terminal types, presses, resizes, and tells the screen and the exit status", async () => {
  const script = `read name; echo "hi <$name>"; trap 'stty size; exit 5' WINCH; while :; do sleep 0.02; done`;
  await using terminal = await Terminal.start([], { executable: ["sh", "-c", script] });
  await terminal.type("ana ö €;");
  await terminal.press("Enter");
  expect(await terminal.waitFor(/hi <.*>/)).toBe("hi <ana ö €;>");
  await terminal.resize(50, 10);
  expect(await terminal.exited()).toBe(5);
  expect(await terminal.screen()).toContain("10 50");
});
