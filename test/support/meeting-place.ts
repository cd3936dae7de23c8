import { randomBytes } from "node:crypto";
import { UserError } from "../../src/modes/cli/errors.ts";
import { homeAt } from "../../src/modes/peer/home.ts";
import type { Asking, Incoming, Listening, PeerNode, Presence } from "../../src/modes/peer/peer-node.ts";
import type { PeerSession } from "../../src/modes/peer/peer-session.ts";
import { People } from "../../src/modes/peer/people.ts";
import type { ErrorCode } from "../../src/wire/errors.ts";
import { sessionPair } from "./session-pair.ts";

/** Nodes of one process that find and ring each other, without a server or sockets: what screens and questions are tried on. */
export class MeetingPlace {
  readonly #nodes = new Map<string, PlaceNode>();
  readonly #folder: string;

  /** @param folder for what the nodes remember of people */
  constructor(folder: string) {
    this.#folder = folder;
  }

  enter(name: string): PlaceNode {
    const node = new PlaceNode(
      name,
      this,
      new People({ ...homeAt(this.#folder), people: `${this.#folder}/${name}.json` }, new Uint8Array(32)),
    );
    this.#nodes.set(name, node);
    return node;
  }

  find(name: string): PlaceNode | null {
    return this.#nodes.get(name) ?? null;
  }

  /** Everybody hears who is online now. */
  tell(changes: readonly Presence[]): void {
    for (const node of this.#nodes.values()) node.hear(changes);
  }

  get online(): readonly Presence[] {
    return [...this.#nodes.values()]
      .filter(({ isListening }) => isListening)
      .map(({ name }) => ({ name, online: true }));
  }
}

export class PlaceNode implements PeerNode {
  readonly name: string;
  readonly server = "192.0.2.1:7420";
  readonly people: People;
  readonly failed: Promise<never>;
  /** The server will not have this device any more. */
  readonly fail: (error: UserError) => void;
  readonly #place: MeetingPlace;
  #listening: Listening | null = null;
  #onUsers: (changes: readonly Presence[]) => void = () => undefined;
  #onServer: (up: boolean) => void = () => undefined;

  constructor(name: string, place: MeetingPlace, people: People) {
    const failed = Promise.withResolvers<never>();
    failed.promise.catch(() => undefined);
    this.name = name;
    this.people = people;
    this.failed = failed.promise;
    this.fail = failed.reject;
    this.#place = place;
  }

  get isListening(): boolean {
    return this.#listening !== null;
  }

  async listen(listening: Listening): Promise<void> {
    this.#listening = listening;
    this.#place.tell([{ name: this.name, online: true }]);
  }

  async users(): Promise<readonly Presence[]> {
    return this.#place.online.filter(({ name }) => name !== this.name);
  }

  watchUsers(onChange: (changes: readonly Presence[]) => void): void {
    this.#onUsers = onChange;
    onChange(this.#place.online);
  }

  onServer(handler: (up: boolean) => void): void {
    this.#onServer = handler;
  }

  hear(changes: readonly Presence[]): void {
    this.#onUsers(changes);
  }

  loseServer(): void {
    this.#onServer(false);
  }

  /** As if a device with another key had rung. */
  warnOf(name: string): void {
    this.#listening?.onChangedKey?.(name);
  }

  async ask(person: string, asking: Asking): Promise<PeerSession> {
    const other = this.#place.find(person);
    if (other === null) throw new UserError("no-such-person", `there is no ${person}`);
    return other.#ring(this.name, asking);
  }

  #ring(from: string, { purpose, greeting = "", offer, signal }: Asking): Promise<PeerSession> {
    const listening = this.#listening;
    if (listening === null) throw new UserError("offline", `${this.name} is offline`);
    const withdrawn = Promise.withResolvers<ErrorCode>();
    return new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => (withdrawn.resolve("cancelled"), reject(signal.reason as Error)), {
        once: true,
      });
      const incoming: Incoming = {
        session: randomBytes(16).toString("hex"),
        from,
        purpose,
        trust: this.people.find(from).trust === null ? "none" : "new",
        greeting,
        offer: offer ?? null,
        withdrawn: withdrawn.promise,
        accept: async () => {
          const { a, b } = sessionPair({ names: [from, this.name] });
          resolve(a);
          return b;
        },
        decline: (code) => reject(new UserError(code, `${this.name} said no`, { side: "remote" })),
      };
      listening.onIncoming(incoming);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listening = null;
    this.#place.tell([{ name: this.name, online: false }]);
  }
}
