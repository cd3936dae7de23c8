import { toHex } from "../../../src/wire/bytes.ts";
import { BenchClient, Closed, type Place } from "./client.ts";
import { withJitter } from "./crowd.ts";
import type { Resident } from "./residents.ts";

const OPEN_TIMEOUT_MS = 5_000;
/** For an answer of a node that may be dead. */
const PATIENCE_MS = 5_000;
/** Between one write and the next. */
const WRITE_EVERY_MS = 100;

/**
 * A person who is at whichever node answers, comes back when it dies as programs do, and all the while blocks and unblocks somebody, which
 * is a write to the accounts each time.
 */
export class Wanderer {
  readonly resident: Resident;
  readonly #target: Resident;
  readonly #places: readonly Place[];
  /** Writes that a node has answered. */
  acknowledged = 0;
  /** How it stands by the last answer; a write that was not answered since may have come about or not. */
  #isBlocked = false;
  #isSure = true;
  #node: number;
  #client: BenchClient;
  #isOver = false;
  #isEntering = false;
  #back = Promise.withResolvers<void>();

  constructor(resident: Resident, target: Resident, places: readonly Place[], node: number) {
    this.resident = resident;
    this.#target = target;
    this.#places = places;
    this.#node = node;
    this.#client = this.#clientAt(node, null);
  }

  /** Where it is now, or was. */
  get node(): number {
    return this.#node;
  }

  /** Resolves when it is signed in after the last break. */
  get back(): Promise<void> {
    return this.#back.promise;
  }

  async enter(): Promise<void> {
    this.#isEntering = true;
    for (let attempt = 0; !this.#isOver; attempt++) {
      if (attempt > 0) await Bun.sleep(withJitter(attempt - 1));
      if (await this.#tried()) break;
      this.#node = (this.#node + 1) % this.#places.length;
      this.#client = this.#clientAt(this.#node, this.#client.token);
    }
    this.#isEntering = false;
    this.#back.resolve();
  }

  async live(): Promise<void> {
    while (!this.#isOver) {
      await this.#back.promise;
      await this.#write();
      await Bun.sleep(WRITE_EVERY_MS);
    }
  }

  /** @returns whether the store has what was acknowledged last */
  isKept(blocked: readonly Uint8Array[]): boolean {
    const isThere = blocked.some((userId) => toHex(userId) === toHex(this.#target.userId));
    return !this.#isSure || isThere === this.#isBlocked;
  }

  end(): void {
    this.#isOver = true;
    this.#back.resolve();
    this.#client.cut();
  }

  async #tried(): Promise<boolean> {
    const client = this.#client;
    const timeout = setTimeout(() => client.cut(), OPEN_TIMEOUT_MS);
    try {
      await client.connect();
      await client.signIn();
      return true;
    } catch {
      return false;
    } finally {
      clearTimeout(timeout);
    }
  }

  async #write(): Promise<void> {
    const blocked = !this.#isBlocked;
    this.#isSure = false;
    try {
      const asked = this.#client.request({ kind: "block", name: this.#target.name, blocked });
      const answer = await Promise.race([asked, Bun.sleep(PATIENCE_MS)]);
      if (answer?.kind !== "done") return;
      [this.#isBlocked, this.#isSure] = [blocked, true];
      this.acknowledged++;
    } catch (error) {
      if (!(error instanceof Closed)) throw error;
    }
  }

  #clientAt(node: number, token: string | null): BenchClient {
    const place = this.#places[node];
    if (place === undefined) throw new RangeError(`there is no node ${node}`);
    const client = new BenchClient(this.resident, place);
    client.token = token;
    client.onClosed = () => {
      if (client !== this.#client || this.#isOver || this.#isEntering) return;
      this.#back = Promise.withResolvers<void>();
      void this.enter();
    };
    return client;
  }
}
