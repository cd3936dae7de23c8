import { expect, test } from "bun:test";
import type { Bus } from "../../src/store/bus.ts";
import { randomBytes } from "./samples.ts";

/** A new bus as two server nodes see it; a back end that only one node can have gives the same one twice. */
export interface BusPlace extends AsyncDisposable {
  readonly nodes: readonly [Bus, Bus];
}

export interface BusBackEnd {
  readonly name: string;
  readonly place: () => Promise<BusPlace>;
}

/** What every Bus promises. */
export function busContract({ name: backEnd, place }: BusBackEnd): void {
  const title = (claim: string) => `Bus (${backEnd}): ${claim}`;

  test(title("a message reaches the node it is for, whole, and no other"), async () => {
    await using at = await place();
    const [here, there] = [await listen(at.nodes[0], "node-a"), await listen(at.nodes[1], "node-b")] as const;
    const messages = [new Uint8Array(), Uint8Array.of(0, 13, 10, 255), randomBytes(65_536)];
    for (const message of messages) expect(await at.nodes[0].publish("node-b", message)).toBe("heard");
    expect(await at.nodes[1].publish("node-a", Uint8Array.of(7))).toBe("heard");
    expect(await there.until(3)).toEqual(messages);
    expect(await here.until(1)).toEqual([Uint8Array.of(7)]);
  });

  test(title("messages of one node keep their order"), async () => {
    await using at = await place();
    const there = await listen(at.nodes[1], "node-b");
    const numbers = Array.from({ length: 500 }, (_, index) => Uint8Array.of(index >> 8, index & 255));
    await Promise.all(numbers.map((message) => at.nodes[0].publish("node-b", message)));
    expect(await there.until(500)).toEqual(numbers);
  });

  test(title("publish() tells that nobody is there"), async () => {
    await using at = await place();
    expect(await at.nodes[0].publish("nobody", Uint8Array.of(1))).toBe("nobody");
    const there = await listen(at.nodes[1], "node-b");
    expect(await at.nodes[0].publish("node-b", Uint8Array.of(1))).toBe("heard");
    await there.until(1);
    there.stop();
    await until(async () => (await at.nodes[0].publish("node-b", Uint8Array.of(2))) === "nobody");
    expect(there.messages).toEqual([Uint8Array.of(1)]);
  });

  test(title("what is done to the bytes afterwards changes nothing"), async () => {
    await using at = await place();
    const there = await listen(at.nodes[1], "node-b");
    const message = Uint8Array.of(1, 2, 3);
    const sent = at.nodes[0].publish("node-b", message.subarray(1));
    message.fill(9);
    await sent;
    expect(await there.until(1)).toEqual([Uint8Array.of(2, 3)]);
  });

  test(title("bad input 57: a node's id is a name and nothing else"), async () => {
    await using at = await place();
    const ids = ["*", "node-?", "[a]", "a\r\nPUBLISH b c", "{slot}", "a b", "n\u00f6de", ""];
    const heard = await Promise.all(ids.map((nodeId) => listen(at.nodes[1], nodeId)));
    for (const [index, nodeId] of ids.entries()) await at.nodes[0].publish(nodeId, Uint8Array.of(index));
    for (const [index, each] of heard.entries()) expect(await each.until(1)).toEqual([Uint8Array.of(index)]);
    expect(await at.nodes[0].publish("node-a", Uint8Array.of(1))).toBe("nobody");
  });

  test(title("a message that is too long, or none, is a TypeError"), async () => {
    await using at = await place();
    const [bus] = at.nodes;
    for (const message of [new Uint8Array(65_537), "text" as unknown as Uint8Array]) {
      expect(await bus.publish("node-a", message).catch((error: unknown) => error)).toBeInstanceOf(TypeError);
    }
    const nameless = bus.publish("x".repeat(257), Uint8Array.of(1));
    expect(await nameless.catch((error: unknown) => error)).toBeInstanceOf(TypeError);
  });
}

export interface Ear {
  readonly messages: readonly Uint8Array[];
  /** Waits until so many messages in all have come. @returns all of them */
  until(count: number): Promise<readonly Uint8Array[]>;
  stop(): void;
}

export async function listen(bus: Bus, nodeId: string): Promise<Ear> {
  const messages: Uint8Array[] = [];
  let wake = Promise.withResolvers<void>();
  const stop = await bus.subscribe(nodeId, (message) => {
    messages.push(message);
    wake.resolve();
    wake = Promise.withResolvers<void>();
  });
  const wait = async (count: number) => {
    while (messages.length < count) await wake.promise;
    return messages;
  };
  return { messages, until: wait, stop };
}

/** Asks until it is so; the limit is the test's own. */
export async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await Bun.sleep(10);
}
