import { expect, test } from "bun:test";
import { Lab, type Side } from "../support/natlab.ts";

/** Answers everyone with the address it sees, and says when it is there. */
const mirror = `
  Bun.serve({ hostname: "0.0.0.0", port: 7420, fetch: (request, server) => new Response(server.requestIP(request).address) });
  console.log("ready");
`;

async function startMirror(lab: Lab): Promise<void> {
  const child = Bun.spawn([...lab.inside("server"), "bun", "-e", mirror], { stdin: "ignore", stdout: "pipe" });
  await child.stdout.getReader().read();
}

/** How the server sees the peer; empty when it cannot be reached. */
async function seen(lab: Lab, side: Side): Promise<string> {
  const ask = `console.log(await (await fetch("http://${lab.serverIp}:7420", { signal: AbortSignal.timeout(1000) })).text())`;
  return (await lab.exec(side, "bun", "-e", ask)).stdout.trim();
}

test("a peer behind a home router is seen by its public address, also when that changes", async () => {
  await using lab = await Lab.up({ a: "cone", b: "none" });
  await startMirror(lab);
  expect(lab.ip("a")).not.toBe(lab.publicIp("a"));
  expect(await seen(lab, "a")).toBe(lab.publicIp("a"));
  const before = lab.publicIp("a");
  await lab.rebind("a", "ip");
  expect(lab.publicIp("a")).not.toBe(before);
  expect(await seen(lab, "a")).toBe(lab.publicIp("a"));
  expect(await seen(lab, "b")).toBe(lab.ip("b"));
});

test("a block cuts a peer off, and lifting it brings the peer back", async () => {
  await using lab = await Lab.up({ a: "cone", b: "udpblocked" });
  await startMirror(lab);
  await lab.block("a", "server-tcp");
  expect([await seen(lab, "a"), await seen(lab, "b")]).toEqual(["", lab.publicIp("b")]);
  await lab.unblock("a");
  expect(await seen(lab, "a")).toBe(lab.publicIp("a"));
});

test("a lab is gone when it is disposed, with what ran in it", async () => {
  const lab = await Lab.up({ a: "cone" });
  const sleeper = Bun.spawn([...lab.inside("a"), "sleep", "1000"], { stdin: "ignore" });
  expect((await lab.exec("a", "true")).exitCode).toBe(0);
  await lab[Symbol.asyncDispose]();
  await sleeper.exited;
  expect((await lab.exec("a", "true")).stderr).toContain(`no lab ${lab.name}`);
});
