import { createLog } from "../../../../../src/modes/runtime/log.ts";
import { NodeLink } from "../../../../../src/modes/server/cluster/node-link.ts";
import type { Delivery } from "../../../../../src/store/bus.ts";
import { StoreError } from "../../../../../src/store/errors.ts";
import { MemoryBus } from "../../../../../src/store/memory/bus.ts";
import { MemoryPresenceStore } from "../../../../../src/store/memory/presence-store.ts";
import { fromHex } from "../../../../../src/wire/bytes.ts";
import { newNodeId } from "../../../../../src/wire/cluster/node-id.ts";
import { NodeSealer } from "../../../../../src/wire/cluster/node-seal.ts";
import type { NodeMessage } from "../../../../../src/wire/messages/nodes.ts";
import { seededRandom } from "../../../../support/bytes.ts";
import { ManualClock } from "../manual-clock.ts";

/** Far beyond what any of these tests takes; by the clock of the tests. */
const LEASE_MS = 3_600_000;
/** How often a node looks who is there. */
const LOOK_MS = 1_000;

/** In memory, and away for as long as a test wants it so. */
export class FrailBus extends MemoryBus {
  state: "there" | "away" | "broken" = "there";
  /** A node whose subscription is not there just now. */
  deafNode = "";
  publishedBytes = 0;

  override async publish(nodeId: string, message: Uint8Array): Promise<Delivery> {
    this.publishedBytes += message.length;
    if (nodeId === this.deafNode) return "nobody";
    if (this.state === "broken") throw new StoreError("busy", "cannot publish");
    return this.state === "away" ? "away" : super.publish(nodeId, message);
  }
}

class FrailPresenceStore extends MemoryPresenceStore {
  isBroken = false;

  override async nodes(): Promise<readonly string[]> {
    if (this.isBroken) throw new StoreError("busy", "cannot look who is there");
    return super.nodes();
  }
}

/** What a link told, in order: `joined ID`, `gone ID`, or `ID said KIND`. */
export type Told = string;

/** A bus and a presence store in memory, and nodes of one server that meet there. */
export class LinkPlace {
  readonly clock = new ManualClock();
  readonly bus = new FrailBus();
  readonly presence = new FrailPresenceStore();
  readonly logged: string[] = [];
  readonly troubles: unknown[] = [];
  readonly secret: Uint8Array = new Uint8Array(32).fill(7);
  readonly #random = seededRandom("links");

  newId(serverKey = 1): Uint8Array {
    return newNodeId(new Uint8Array(32).fill(serverKey), new Uint8Array(32).fill(2), this.#random);
  }

  /** Not started; without a lease. */
  node(nodeId = this.newId()): { readonly link: NodeLink; readonly told: Told[] } {
    const { clock, bus, presence, secret } = this;
    const log = createLog({
      level: "debug",
      json: true,
      write: (line) => void this.logged.push(line),
      now: () => clock.now(),
      wallClock: () => clock.unixMs(),
    });
    const onTrouble = (error: unknown) => void this.troubles.push(error);
    const link = new NodeLink({ bus, presence, nodeId, secret, clock, log, onTrouble });
    const told: Told[] = [];
    link.onJoined = (id) => told.push(`joined ${id}`);
    link.onGone = (id) => told.push(`gone ${id}`);
    link.onMessage = (from, { kind }) => {
      if (kind !== "hello") told.push(`${from} said ${kind}`);
    };
    return { link, told };
  }

  async lease(id: string): Promise<void> {
    await this.presence.renewNode(id, this.clock.unixMs() + LEASE_MS);
  }

  /** With a lease, and started. */
  async present(nodeId?: Uint8Array): Promise<ReturnType<LinkPlace["node"]>> {
    const node = this.node(nodeId);
    await this.lease(node.link.id);
    await node.link.start();
    return node;
  }

  /** Two that know each other. */
  async pair(): Promise<readonly [ReturnType<LinkPlace["node"]>, ReturnType<LinkPlace["node"]>]> {
    const both = [await this.present(), await this.present()] as const;
    await this.look();
    for (const { told } of both) told.length = 0;
    return both;
  }

  /** As somebody who has the server's secret, or another, would. */
  sealer(nodeId = this.newId(), secret = this.secret): NodeSealer {
    return new NodeSealer(secret, nodeId);
  }

  /** Puts bytes there as anybody can who reaches the bus. */
  async put(to: NodeLink, bytes: Uint8Array): Promise<void> {
    await this.bus.publish(to.id, bytes);
    await this.settled();
  }

  /** Each node looks who is there. */
  async look(): Promise<void> {
    this.clock.advance(LOOK_MS);
    await this.settled();
  }

  async settled(): Promise<void> {
    for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Lines of the log about this. */
  lines(event: string): readonly string[] {
    return this.logged.filter((line) => line.includes(`"${event}"`));
  }
}

export function idOf(link: NodeLink): Uint8Array {
  return fromHex(link.id) ?? new Uint8Array();
}

export const revoked: NodeMessage = { kind: "revoked", devices: [new Uint8Array(16).fill(5)] };
