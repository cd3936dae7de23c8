import { expect, test } from "bun:test";
import { linkMtu } from "../../../../../src/modes/peer/doctor/link-mtu.ts";

const isLinux = process.platform === "linux";

test.skipIf(!isLinux)("linkMtu() of the way to this machine itself is the longest that a datagram can be", async () => {
  expect(await linkMtu({ ip: "127.0.0.1", port: 9 })).toBe(65_535);
});

test("linkMtu() is null where nothing leaves this machine", async () => {
  expect(await linkMtu({ ip: "127.0.0.1", port: 0 })).toBeNull();
});
