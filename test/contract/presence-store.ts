import { expect, test } from "bun:test";
import { answerBits, type PresenceChange, type PresenceStore, ranks } from "../../src/store/presence.ts";
import { channel, NOW_MS, randomBytes } from "./samples.ts";

/** A new, empty store as two server nodes see it; a back end that only one node can have gives the same one twice. */
export interface PresencePlace extends AsyncDisposable {
  readonly nodes: readonly [PresenceStore, PresenceStore];
}

export interface PresenceBackEnd {
  readonly name: string;
  readonly place: () => Promise<PresencePlace>;
}

/** What every PresenceStore promises. A new back end joins by one line in presence-store.test.ts. */
export function presenceStoreContract({ name: backEnd, place }: PresenceBackEnd): void {
  const title = (claim: string) => `PresenceStore (${backEnd}): ${claim}`;

  test(title("a channel is seen by every node with all that it said"), async () => {
    await using at = await place();
    const ana = channel("ana", { answers: answerBits.pipe, forNames: ["ben", "cyd"], rank: ranks.unattended });
    await at.nodes[0].add(ana);
    expect(await at.nodes[1].entriesOf(ana.userId)).toEqual([ana]);
    expect(await at.nodes[1].isOnline(ana.userId)).toBe(true);
    expect(await at.nodes[1].online({ limit: 10 })).toEqual([{ userId: ana.userId, name: "ana" }]);
  });

  test(title("nobody is online who never came"), async () => {
    await using at = await place();
    await at.nodes[0].add(channel("ana"));
    expect(await at.nodes[1].isOnline(randomBytes(16))).toBe(false);
    expect(await at.nodes[1].entriesOf(randomBytes(16))).toEqual([]);
  });

  test(title("a late close never hides a person who came back on the same device"), async () => {
    await using at = await place();
    const before = channel("ana");
    const after = { ...before, connectionId: randomBytes(16), sinceMs: NOW_MS + 1 };
    await at.nodes[0].add(before);
    await at.nodes[1].add(after);
    expect(await at.nodes[0].remove(before.deviceId, before.connectionId)).toBe(true);
    expect(await at.nodes[0].remove(before.deviceId, before.connectionId)).toBe(false);
    expect(await at.nodes[1].entriesOf(before.userId)).toEqual([after]);
    expect(await at.nodes[0].online({ limit: 10 })).toHaveLength(1);
  });

  test(title("remove() needs device and connection to fit, and the last channel takes the person away"), async () => {
    await using at = await place();
    const [store, other] = at.nodes;
    const ana = channel("ana");
    await store.add(ana);
    expect(await other.remove(randomBytes(16), ana.connectionId)).toBe(false);
    expect(await other.remove(ana.deviceId, randomBytes(16))).toBe(false);
    expect(await store.isOnline(ana.userId)).toBe(true);
    expect(await other.remove(ana.deviceId, ana.connectionId)).toBe(true);
    expect(await store.isOnline(ana.userId)).toBe(false);
    expect(await store.online({ limit: 10 })).toEqual([]);
  });

  test(title("entriesOf() gives the channels in the order in which they ring"), async () => {
    await using at = await place();
    const userId = randomBytes(16);
    const plan = [
      { rank: ranks.unattended, sinceMs: NOW_MS },
      { rank: ranks.attended, sinceMs: NOW_MS + 2 },
      { rank: ranks.boundToCaller, sinceMs: NOW_MS + 3 },
      { rank: ranks.attended, sinceMs: NOW_MS + 1 },
    ];
    for (const fields of plan) await at.nodes[0].add(channel("ana", { userId, ...fields }));
    const order = (await at.nodes[1].entriesOf(userId)).map(({ rank, sinceMs }) => [rank, sinceMs - NOW_MS]);
    expect(order).toEqual([
      [ranks.boundToCaller, 3],
      [ranks.attended, 1],
      [ranks.attended, 2],
      [ranks.unattended, 0],
    ]);
  });

  test(title("adding a channel again replaces what it said"), async () => {
    await using at = await place();
    const ana = channel("ana");
    await at.nodes[0].add(ana);
    await at.nodes[0].add({ ...ana, answers: 0, forNames: [] });
    expect(await at.nodes[1].entriesOf(ana.userId)).toEqual([{ ...ana, answers: 0, forNames: [] }]);
  });

  test(title("online() gives each person once, by name, over pages, while people come and go"), async () => {
    await using at = await place();
    const [store, other] = at.nodes;
    const gone = channel("bea");
    for (const name of ["dan", "ana", "eve", "cyd", "ben"]) await store.add(channel(name));
    await store.add(gone);
    const [ana] = await other.online({ limit: 1 });
    await store.add(channel("ana", { userId: ana?.userId ?? randomBytes(16) }));
    await store.remove(gone.deviceId, gone.connectionId);
    const seen: string[] = [];
    for (let after = ""; ; after = seen.at(-1) ?? "") {
      const page = await other.online({ after, limit: 2 });
      seen.push(...page.map(({ name }) => name));
      if (page.length < 2) break;
    }
    expect(seen).toEqual(["ana", "ben", "cyd", "dan", "eve"]);
    expect((await other.online({ after: "bea", limit: 1 })).map(({ name }) => name)).toEqual(["ben"]);
  });

  test(title("the invisible are reachable and not shown, until one of their channels is visible"), async () => {
    await using at = await place();
    const [store, other] = at.nodes;
    const hidden = channel("ana", { invisible: true });
    const shown = channel("ana", { userId: hidden.userId });
    await store.add(hidden);
    expect(await other.isOnline(hidden.userId)).toBe(true);
    expect(await other.entriesOf(hidden.userId)).toEqual([hidden]);
    expect(await other.online({ limit: 10 })).toEqual([]);
    await store.add(shown);
    expect(await other.online({ limit: 10 })).toHaveLength(1);
    await store.add({ ...shown, invisible: true });
    expect(await other.online({ limit: 10 })).toEqual([]);
  });

  test(title("removeNode() takes that node's channels and no others"), async () => {
    await using at = await place();
    const ana = channel("ana", { nodeId: "node-a" });
    const anasPhone = channel("ana", { userId: ana.userId, nodeId: "node-b" });
    const ben = channel("ben", { nodeId: "node-a" });
    for (const entry of [ana, anasPhone, ben]) await at.nodes[0].add(entry);
    await at.nodes[1].removeNode("node-a");
    expect(await at.nodes[0].entriesOf(ana.userId)).toEqual([anasPhone]);
    expect(await at.nodes[0].isOnline(ben.userId)).toBe(false);
  });

  test(title("sweep() takes the channels of nodes whose lease ended or never was"), async () => {
    await using at = await place();
    const [store, other] = at.nodes;
    for (const nodeId of ["renewed", "lapsed", "unknown"]) await store.add(channel(nodeId, { nodeId }));
    await store.renewNode("lapsed", NOW_MS + 10);
    await store.renewNode("renewed", NOW_MS + 10);
    await store.renewNode("renewed", NOW_MS + 11);
    await other.sweep(NOW_MS + 9);
    expect((await store.online({ limit: 10 })).map(({ name }) => name)).toEqual(["lapsed", "renewed"]);
    await other.sweep(NOW_MS + 10);
    expect((await store.online({ limit: 10 })).map(({ name }) => name)).toEqual(["renewed"]);
  });

  test(title("renewNode() tells a node whose lease was lost to add its channels again"), async () => {
    await using at = await place();
    const [store, other] = at.nodes;
    expect(await store.renewNode("node-a", NOW_MS + 10)).toBe(false);
    expect(await store.renewNode("node-a", NOW_MS + 20)).toBe(true);
    await other.sweep(NOW_MS + 20);
    expect(await store.renewNode("node-a", NOW_MS + 30)).toBe(false);
    await other.removeNode("node-a");
    expect(await store.renewNode("node-a", NOW_MS + 40)).toBe(false);
  });

  test(title("nodes() names the nodes that hold a lease"), async () => {
    await using at = await place();
    const [store, other] = at.nodes;
    for (const nodeId of ["node-b", "node-a", "n\u00f6de \r\n"]) await store.renewNode(nodeId, NOW_MS + 10);
    await store.add(channel("ana", { nodeId: "without" }));
    expect(new Set(await other.nodes())).toEqual(new Set(["node-a", "node-b", "n\u00f6de \r\n"]));
    await store.removeNode("node-b");
    await store.renewNode("node-a", NOW_MS + 20);
    await store.sweep(NOW_MS + 10);
    expect(await other.nodes()).toEqual(["node-a"]);
  });

  test(title("timeMs() is one clock for all nodes, whatever theirs say"), async () => {
    await using at = await place();
    const [store, other] = at.nodes;
    const ownMs = Date.now();
    const [here, there] = [await store.timeMs(ownMs), await other.timeMs(ownMs)];
    expect(Math.abs(here - ownMs)).toBeLessThan(60_000);
    expect(Math.abs(there - here)).toBeLessThan(60_000);
  });

  test(title("no node's id is taken for the beginning of another's"), async () => {
    await using at = await place();
    const [store, other] = at.nodes;
    const ids = ["a", "aa", "a!", "ab", 'a"', ""];
    for (const [index, nodeId] of ids.entries()) await store.add(channel(`person${index}`, { nodeId }));
    await other.removeNode("a");
    expect((await other.online({ limit: 10 })).map(({ name }) => name)).toEqual(
      ids.slice(1).map((_, at) => `person${at + 1}`),
    );
    await store.renewNode("aa", NOW_MS + 10);
    await other.sweep(NOW_MS);
    expect((await store.online({ limit: 10 })).map(({ name }) => name)).toEqual(["person1"]);
  });

  test(title("bad input 57: text that means something to a protocol or a script is text"), async () => {
    await using at = await place();
    const [store, other] = at.nodes;
    const names = [
      "a\r\nFLUSHALL\r\n",
      "*3\r\n$3\r\nDEL",
      "{p2p}:names",
      "'..redis.call('FLUSHALL')..'",
      '\\"]}',
      "[a",
      "(a",
      "+",
      "a\0b",
    ];
    const people = names.map((name) => channel(name, { forNames: [name] }));
    for (const each of people) await store.add(each);
    for (const each of people) expect(await other.entriesOf(each.userId)).toEqual([each]);
    expect(new Set((await other.online({ limit: 100 })).map(({ name }) => name))).toEqual(new Set(names));
    for (const { deviceId, connectionId } of people) expect(await other.remove(deviceId, connectionId)).toBe(true);
    expect(await store.online({ limit: 100 })).toEqual([]);
  });

  test(
    title("a person whose every channel is taken over by another node stays online, and nobody hears of it"),
    async () => {
      await using at = await place();
      const [store, other] = at.nodes;
      const heard = hear(other);
      const before = channel("ana", { nodeId: "node-a" });
      const after = channel("ana", { userId: before.userId, nodeId: "node-b" });
      await store.add(before);
      await heard.until(1);
      await other.add(after);
      await store.removeNode("node-a");
      const ben = channel("ben");
      await store.add(ben);
      expect((await heard.until(2)).map(({ name, online }) => `${name} ${online}`)).toEqual(["ana true", "ben true"]);
      expect(await store.entriesOf(before.userId)).toEqual([after]);
    },
  );

  test(title("subscribers hear who came and who went, once per person, on every node"), async () => {
    await using at = await place();
    const [store, other] = at.nodes;
    const [here, there] = [hear(store), hear(other)] as const;
    const ana = channel("ana");
    const anasPhone = channel("ana", { userId: ana.userId });
    const ben = channel("ben");
    const expected = [
      { userId: ana.userId, name: "ana", online: true },
      { userId: ben.userId, name: "ben", online: true },
      { userId: ana.userId, name: "ana", online: false },
    ];
    await store.add(ana);
    await store.add(anasPhone);
    await store.add(ben);
    await here.until(2);
    await there.until(2);
    await store.remove(ana.deviceId, ana.connectionId);
    await store.remove(anasPhone.deviceId, anasPhone.connectionId);
    for (const heard of [await here.until(3), await there.until(3)]) expect(heard).toEqual(expected);
  });

  test(title("subscribers hear nothing of the invisible"), async () => {
    await using at = await place();
    const [store, other] = at.nodes;
    const heard = hear(other);
    await store.add(channel("ana", { invisible: true }));
    const ben = channel("ben");
    await store.add(ben);
    expect(await heard.until(1)).toEqual([{ userId: ben.userId, name: "ben", online: true }]);
  });

  test(title("who is taken away with a node is told like who leaves"), async () => {
    await using at = await place();
    const [store, other] = at.nodes;
    const heard = hear(other);
    for (const name of ["ana", "ben"]) await store.add(channel(name));
    await heard.until(2);
    await store.removeNode("node-a");
    const gone = (await heard.until(4)).slice(2);
    expect(new Set(gone.map(({ name, online }) => `${name} ${online}`))).toEqual(new Set(["ana false", "ben false"]));
  });

  test(title("a subscription that was ended hears no more"), async () => {
    await using at = await place();
    const [store] = at.nodes;
    const [ended, going] = [hear(store), hear(store)] as const;
    ended.stop();
    await store.add(channel("ana"));
    await going.until(1);
    expect(ended.changes).toEqual([]);
  });

  test(title("bad input 51: names that objects inherit are names like any other"), async () => {
    await using at = await place();
    const names = ["__proto__", "constructor", "prototype", "valueof"];
    for (const name of names) await at.nodes[0].add(channel(name, { nodeId: name }));
    expect((await at.nodes[1].online({ limit: 10 })).map(({ name }) => name)).toEqual(names.toSorted());
    await at.nodes[1].removeNode("constructor");
    expect(await at.nodes[1].online({ limit: 10 })).toHaveLength(3);
  });

  test(title("bad input 56: a value of a wrong kind or size is a TypeError and adds nobody"), async () => {
    await using at = await place();
    const [store] = at.nodes;
    const wrong = [
      { name: { $gt: "" } as unknown as string },
      { deviceId: "ana" as unknown as Uint8Array },
      { connectionId: randomBytes(15) },
      { answers: 16 },
      { rank: 3 as 2 },
      { forNames: Array.from({ length: 17 }, () => "ben") },
      { forNames: [1 as unknown as string] },
      { sinceMs: Number.NaN },
    ];
    for (const fields of wrong) {
      expect(await store.add(channel("ana", fields)).catch((error: unknown) => error)).toBeInstanceOf(TypeError);
    }
    expect(await store.online({ limit: 10 })).toEqual([]);
  });
}

interface Heard {
  readonly changes: readonly PresenceChange[];
  /** Waits until so many changes in all were told. @returns all of them */
  until(count: number): Promise<readonly PresenceChange[]>;
  stop(): void;
}

function hear(store: PresenceStore): Heard {
  const changes: PresenceChange[] = [];
  let wake = Promise.withResolvers<void>();
  const stop = store.subscribe((batch) => {
    changes.push(...batch);
    wake.resolve();
    wake = Promise.withResolvers<void>();
  });
  const until = async (count: number) => {
    while (changes.length < count) await wake.promise;
    return changes;
  };
  return { changes, until, stop };
}
