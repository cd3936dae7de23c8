import type { Bus, Delivery } from "../../../store/bus.ts";
import type { PresenceStore } from "../../../store/presence.ts";
import { fromHex, toHex } from "../../../wire/bytes.ts";
import { isSameServer } from "../../../wire/cluster/node-id.ts";
import { NodeOpener, NodeSealer } from "../../../wire/cluster/node-seal.ts";
import { WireError } from "../../../wire/errors.ts";
import { type NodeMessage, nodeMessages } from "../../../wire/messages/nodes.ts";
import type { Log } from "../../runtime/log.ts";
import type { Clock } from "../clock.ts";

/** Who else is there is looked up this often. */
const LOOK_MS = 1_000;
/** One that has no lease, and still hears, has been flushed out of Redis, or is frozen: so long it may take to come back. */
const GRACE_MS = 5_000;
const MAX_DROPPED = 1_000;
/** Strange messages are logged this often at most. */
const STRANGE_MS = 30_000;

export interface NodeLinkOptions {
  readonly bus: Bus;
  readonly presence: PresenceStore;
  readonly nodeId: Uint8Array;
  /** X25519 private key of the server, which every node has. */
  readonly secret: Uint8Array;
  readonly clock: Clock;
  readonly log: Log;
  readonly onTrouble: (error: unknown) => void;
}

/** The other nodes of this server: who they are, and what is said between them, each message sealed for one node. */
export class NodeLink {
  /** This node, in hex. */
  readonly id: string;
  onMessage: (from: string, message: NodeMessage) => void = () => {};
  /** That node is there from now on, for the first time or again. */
  onJoined: (nodeId: string) => void = () => {};
  /** Whatever that node had is not there any more. */
  onGone: (nodeId: string) => void = () => {};
  /** What was said of late may not have been carried; from now on it is again. */
  onMended: () => void = () => {};
  /** Something was not carried. */
  #hasGap = false;
  readonly #options: NodeLinkOptions;
  readonly #sealer: NodeSealer;
  readonly #opener: NodeOpener;
  readonly #others = new Set<string>();
  /** Taken for gone once; if that was wrong they must hear of it. */
  readonly #dropped = new Set<string>();
  /** Since when a node has no lease. */
  readonly #missingSince = new Map<string, number>();
  #strangeAt = Number.NEGATIVE_INFINITY;
  #end: () => void = () => {};
  #cancel: () => void = () => {};
  #isStopped = false;

  constructor(options: NodeLinkOptions) {
    const { nodeId, secret } = options;
    this.#options = options;
    this.id = toHex(nodeId);
    this.#sealer = new NodeSealer(secret, nodeId);
    this.#opener = new NodeOpener(secret, nodeId);
  }

  get others(): ReadonlySet<string> {
    return this.#others;
  }

  /** Resolves once this node can be spoken to and knows the others. */
  async start(): Promise<void> {
    this.#end = await this.#options.bus.subscribe(this.id, (envelope) => this.#hear(envelope));
    await this.#look();
    this.broadcast(hello); // or they would see it with their next look
    this.#schedule();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
    this.#end();
  }

  /** Never rejects. A node that nobody hears is gone. */
  async send(to: string, message: NodeMessage): Promise<Delivery> {
    try {
      const delivery = await this.#publish(to, message);
      if (delivery === "nobody") this.#drop(to);
      if (delivery === "away") this.#hasGap = true;
      return delivery;
    } catch (error) {
      this.#hasGap = true;
      this.#options.onTrouble(error);
      return "away";
    }
  }

  /** Something names that node, before it was seen: should it be gone, the first word to it tells. @returns false for none of this server */
  meet(nodeId: string): boolean {
    if (!this.#isOther(nodeId)) return false;
    this.#join(nodeId);
    return true;
  }

  broadcast(message: NodeMessage): void {
    for (const to of this.#others) void this.send(to, message);
  }

  /** This node was away for so long that the others have given it up: so has it to do with what it had of them. */
  forgetOthers(): void {
    for (const nodeId of this.#others) this.#drop(nodeId);
  }

  async #publish(to: string, message: NodeMessage): Promise<Delivery> {
    const nodeId = fromHex(to);
    if (nodeId === null) return "nobody";
    return this.#options.bus.publish(to, this.#sealer.seal(nodeId, nodeMessages.encode(message)));
  }

  /** The bus hands over what anybody put there. */
  #hear(envelope: Uint8Array): void {
    try {
      const opened = this.#opener.open(envelope);
      if (opened === null) return this.#strange("it is not sealed by a node of this server");
      const from = toHex(opened.from);
      this.#join(from);
      const message = nodeMessages.decode(opened.message);
      if (message.kind !== "hello") this.onMessage(from, message);
      else if (message.anew) this.onGone(from);
    } catch (error) {
      if (error instanceof WireError) this.#strange(error.message);
      else this.#options.onTrouble(error);
    }
  }

  #strange(reason: string): void {
    const now = this.#options.clock.now();
    if (now - this.#strangeAt < STRANGE_MS) return;
    this.#strangeAt = now;
    this.#options.log.warn("strange-node-message", { reason });
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#cancel = this.#options.clock.after(LOOK_MS, () => {
      void this.#look()
        .catch(this.#options.onTrouble)
        .finally(() => this.#schedule());
    });
  }

  async #look(): Promise<void> {
    const leases = await this.#options.presence.nodes();
    const present = new Set(leases.filter((nodeId) => this.#isOther(nodeId)));
    // Where this node's own is missing too, the place has lost them, or takes none.
    const doubted = leases.includes(this.id) ? [...this.#others].filter((nodeId) => !present.has(nodeId)) : [];
    for (const nodeId of doubted) await this.#doubt(nodeId);
    for (const nodeId of present) this.#missingSince.delete(nodeId);
    for (const nodeId of present) this.#join(nodeId);
    if (!this.#hasGap) return;
    this.#hasGap = false;
    this.onMended();
  }

  /** It has no lease. While the place that knows the leases is away, nobody has, and nobody knows. */
  async #doubt(nodeId: string): Promise<void> {
    const delivery = await this.send(nodeId, hello);
    if (delivery === "away") return;
    const now = this.#options.clock.now();
    const since = this.#missingSince.get(nodeId) ?? now;
    this.#missingSince.set(nodeId, since);
    if (now - since >= GRACE_MS) this.#drop(nodeId);
  }

  #isOther(nodeId: string): boolean {
    if (nodeId === this.id) return false;
    const id = fromHex(nodeId);
    const isOurs = id !== null && isSameServer(this.#options.nodeId, id);
    if (!isOurs) this.#strange("a node of another server, or of another version, shares our Redis");
    return isOurs;
  }

  #join(nodeId: string): void {
    if (this.#others.has(nodeId)) return;
    this.#others.add(nodeId);
    this.#options.log.info("node-joined", { node: nodeId });
    if (this.#dropped.has(nodeId)) void this.#sayAnew(nodeId);
    this.onJoined(nodeId);
  }

  /** Before anything else is said to it. Where that is not carried it is met anew. */
  async #sayAnew(nodeId: string): Promise<void> {
    this.#dropped.delete(nodeId);
    if ((await this.send(nodeId, { kind: "hello", anew: true })) !== "away") return;
    this.#remember(nodeId);
    this.#others.delete(nodeId);
  }

  /** Only so many: ids of nodes that never were may stand in Redis. */
  #remember(nodeId: string): void {
    this.#dropped.add(nodeId);
    const [oldest] = this.#dropped;
    if (this.#dropped.size > MAX_DROPPED && oldest !== undefined) this.#dropped.delete(oldest);
  }

  #drop(nodeId: string): void {
    if (!this.#others.delete(nodeId)) return;
    this.#missingSince.delete(nodeId);
    this.#remember(nodeId);
    this.#options.log.warn("node-gone", { node: nodeId });
    this.onGone(nodeId);
  }
}

const hello: NodeMessage = { kind: "hello", anew: false };
