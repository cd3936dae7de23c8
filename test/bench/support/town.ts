import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type DataFolder, openDataFolder } from "../../../src/modes/server/data-folder.ts";
import { openServerKeys } from "../../../src/modes/server/key-files.ts";
import { systemRandom } from "../../../src/modes/server/system-random.ts";
import { openAccountStore } from "../../../src/store/open.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { BenchClient } from "./client.ts";
import { BenchNode } from "./node.ts";
import { type Resident, settle } from "./residents.ts";

export interface TownOptions {
  readonly people: number;
  /** Default: one. */
  readonly nodes?: number;
  /** URL of the account store; left out: a file in the node's folder. */
  readonly accounts?: string;
  /** Further flags of `p2p server`, such as `--presence URL`. */
  readonly flags?: readonly string[];
  /** Lines of `server.toml`. */
  readonly settings?: readonly string[];
}

/** Without these, thousands of clients of one address would be one abuser. */
export const ONE_ADDRESS = ["limit-connections = 0", "limit-newcomers-per-address = 0"];
/** And these hold back who comes, or asks, faster than people do. */
export const NO_BRAKES = [...ONE_ADDRESS, "limit-newcomers = 0", "limit-handshakes = 0", "limit-messages = 0"];
export const NO_RING_LIMITS = ["", "-to-contacts", "-from-strangers", "-unanswered"].map(
  (which) => `limit-rings${which} = 0`,
);

/** Server nodes of one key, and people who have accounts there. */
export class Town implements AsyncDisposable {
  readonly nodes: readonly BenchNode[];
  readonly residents: readonly Resident[];
  readonly #stack: AsyncDisposableStack;

  private constructor(nodes: readonly BenchNode[], residents: readonly Resident[], stack: AsyncDisposableStack) {
    this.nodes = nodes;
    this.residents = residents;
    this.#stack = stack;
  }

  static async found({ people, nodes = 1, accounts, flags = [], settings = NO_BRAKES }: TownOptions): Promise<Town> {
    const stack = new AsyncDisposableStack();
    const folder = stack.use(temporaryFolder());
    const folders = Array.from({ length: nodes }, (_, node) => openDataFolder(folder.at(String(node))));
    const serverKey = await shareKeys(folders);
    const residents = await populate(accounts ?? `sqlite:${folders[0]?.accounts}`, people);
    const all = [...(accounts === undefined ? [] : ["--accounts", accounts]), ...flags];
    const started: BenchNode[] = [];
    for (const { folder: data } of folders) {
      await writeFile(join(data, "server.toml"), `${settings.join("\n")}\n`, { mode: 0o600 });
      started.push(stack.use(await BenchNode.start(data, all, serverKey)));
    }
    return new Town(started, residents, stack);
  }

  /** The only node, or the first. */
  get node(): BenchNode {
    const [first] = this.nodes;
    if (first === undefined) throw new Error("a town without a node");
    return first;
  }

  /** Residents from one number to another, spread over the nodes; not connected yet. */
  clients(from: number, to: number): readonly BenchClient[] {
    return this.residents.slice(from, to).map((resident, index) => {
      const { place } = this.nodes[index % this.nodes.length] ?? this.node;
      return new BenchClient(resident, place);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** @returns the public key of all */
async function shareKeys([first, ...others]: readonly DataFolder[]): Promise<Uint8Array> {
  if (first === undefined) throw new Error("a town without a node");
  const { channel } = openServerKeys(first, systemRandom);
  for (const other of others)
    for (const file of ["serverKey", "signingKey"] as const) await copyFile(first[file], other[file]);
  return channel.publicKey;
}

async function populate(url: string, people: number): Promise<readonly Resident[]> {
  await using store = await openAccountStore(url);
  return await settle(store, people);
}
