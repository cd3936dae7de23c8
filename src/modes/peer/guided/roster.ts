import type { PeerNode, Presence } from "../peer-node.ts";

/** Who is online, as the server tells it. */
export class Roster {
  readonly #online = new Set<string>();
  readonly #watchers = new Set<() => void>();
  #isServerUp = true;

  constructor(node: PeerNode) {
    node.watchUsers((changes) => this.#changed(changes, node.name));
    node.onServer((up) => {
      this.#isServerUp = up;
      this.#tell();
    });
  }

  /** By name, without oneself. */
  get online(): readonly string[] {
    return [...this.#online].sort();
  }

  isOnline(name: string): boolean {
    return this.#online.has(name);
  }

  get isServerUp(): boolean {
    return this.#isServerUp;
  }

  /** @returns how to stop */
  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  #changed(changes: readonly Presence[], me: string): void {
    for (const { name, online } of changes) {
      if (online && name !== me) this.#online.add(name);
      else this.#online.delete(name);
    }
    this.#tell();
  }

  #tell(): void {
    for (const changed of this.#watchers) changed();
  }
}
