import { expect, test } from "bun:test";
import { encodeReply, encodeRequest } from "../../../../src/wire/messages/discovery.ts";
import { deriveTicketKeys, isAuthentic, withMac } from "../../../../src/wire/traversal/ticket-keys.ts";

const ticketId = Uint8Array.fromHex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf");
const txid = Uint8Array.fromHex("b0b1b2b3b4b5b6b7b8b9babb");
const keys = deriveTicketKeys(Uint8Array.from({ length: 32 }, (_, index) => index));
const reply = encodeReply({ ticketId, txid, address: { ip: "203.0.113.7", port: 40_000 }, listener: 1 });

test("deriveTicketKeys() and withMac() match PROTOCOL.md §10.2", () => {
  expect(keys.request.toHex()).toBe("d888b7d296ee04fa8631d317e4c959d71bef04f9e7902de0d4df1fb9adb70a32");
  expect(keys.reply.toHex()).toBe("54b0f1b673e9ad8bb96cbf3d69985b302be186842e6d0c1cb0f89d72e24b37bb");
  const request = withMac(keys.request, encodeRequest({ ticketId, txid, sequence: 5 }));
  expect(request.toHex().slice(-32)).toBe("d3ec9490030c2c10ab84bb628bfcc6f4");
  expect(withMac(keys.reply, reply).toHex().slice(-32)).toBe("9b43f255ddb599890c62efc01310b1c7");
});

test("isAuthentic() refuses every single-bit change and the key of the other direction", () => {
  const good = withMac(keys.reply, reply);
  expect(isAuthentic(keys.reply, good)).toBe(true);
  expect(isAuthentic(keys.request, good)).toBe(false);
  for (let bit = 0; bit < good.length * 8; bit++) {
    const changed = good.slice();
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(isAuthentic(keys.reply, changed)).toBe(false);
  }
});
