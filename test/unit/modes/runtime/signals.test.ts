import { describe, expect, test } from "bun:test";

const module = new URL("../../../../src/modes/runtime/signals.ts", import.meta.url).href;

/** A program that says `ready`, then, when it is told to end, why; it stays until it is made to go. */
const stubborn = `
  import { abortOnBrokenPipe, abortOnSignals } from ${JSON.stringify(module)};
  const controller = new AbortController();
  abortOnSignals(controller, (status) => process.exit(status));
  abortOnBrokenPipe(controller);
  controller.signal.addEventListener("abort", () => process.stderr.write(controller.signal.reason.code + "\\n"));
  process.stdin.on("data", () => process.stdout.write("more\\n"));
  process.stdout.write("ready\\n");
  setInterval(() => undefined, 1_000);`;

interface Child {
  readonly process: Bun.Subprocess<"pipe", "pipe", "pipe">;
  /** The next line of stderr. */
  readonly said: () => Promise<string>;
}

async function start(): Promise<Child> {
  const child = Bun.spawn([process.execPath, "-e", stubborn], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
  const out = child.stdout.getReader();
  expect(new TextDecoder().decode((await out.read()).value)).toBe("ready\n");
  out.releaseLock();
  const errors = child.stderr.getReader();
  return { process: child, said: async () => new TextDecoder().decode((await errors.read()).value) };
}

describe.each([
  ["SIGINT", "interrupted", 130],
  ["SIGTERM", "terminated", 143],
  ["SIGHUP", "terminated", 143],
] as const)("%s", (signal, code, status) => {
  test("asks for an orderly end at first, and ends at once when it comes again", async () => {
    const child = await start();
    child.process.kill(signal);
    expect(await child.said()).toBe(`${code}\n`);
    expect(child.process.exitCode).toBeNull();
    child.process.kill(signal);
    expect(await child.process.exited).toBe(status);
  });
});

test("bad input 144: a reader of stdout that went away ends the program in order", async () => {
  const child = await start();
  await child.process.stdout.cancel();
  void child.process.stdin.write("x");
  await child.process.stdin.flush();
  expect(await child.said()).toBe("interrupted\n");
  child.process.kill("SIGKILL");
  await child.process.exited;
});
