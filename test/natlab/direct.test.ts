import { expect, test } from "bun:test";
import type { LabSpec } from "../support/natlab.ts";
import { DIRECT_WITHIN_MS, Village } from "./village.ts";

const places: readonly (readonly [string, LabSpec, "direct" | "lan"])[] = [
  ["both behind home routers", { a: "cone", b: "cone" }, "direct"],
  ["one public, the other behind a home router", { a: "none", b: "cone" }, "direct"],
  ["one behind a home router, the other public", { a: "cone", b: "none" }, "direct"],
  ["both on one LAN", { a: "cone", b: "same-lan" }, "lan"],
];

for (const [where, spec, kind] of places) {
  test(`two people ${where} see each other's packets directly`, async () => {
    await using village = await Village.settle(spec);
    const { ana, ben } = village;
    await using receiver = await ben.receiving();
    await using chat = ana.startWith({ stdin: "open" }, "chat", "ben");
    const here = await chat.waitFor("path", (path) => path.kind === kind, DIRECT_WITHIN_MS);
    const there = await receiver.waitFor("path", (path) => path.kind === kind, DIRECT_WITHIN_MS);
    expect(here.session).toBe(there.session);
    chat.endInput("over the short way\n");
    expect(await receiver.waitFor("message")).toMatchObject({ from: "ana", text: "over the short way" });
    expect(await chat.exited).toBe(0);
  });
}
