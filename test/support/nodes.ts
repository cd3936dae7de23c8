import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Finished, type P2p, run, start } from "./binary.ts";
import { Person } from "./community.ts";
import { temporaryFolder } from "./folder.ts";
import { type MongoServer, startMongodb } from "./mongodb.ts";
import { hasRedis, type RedisServer, startRedis } from "./redis.ts";

const mongodb = hasRedis ? await startMongodb() : { missing: "no redis-server" };

/** Why several nodes cannot be run here; null when they can. */
export const nodesMissing: string | null = "missing" in mongodb ? mongodb.missing : null;

export interface NodesOptions {
  readonly count?: number;
  /** Further flags of every node. */
  readonly flags?: readonly string[];
}

/** One of the nodes of a server. */
export interface ServerNode {
  readonly process: P2p;
  /** host:port */
  readonly http: string;
  readonly data: string;
}

/** Several nodes of one server, over a MongoDB-wire server and a Redis, and whoever registers with it. */
export class Nodes implements AsyncDisposable {
  readonly redis: RedisServer;
  readonly mongodb: MongoServer;
  readonly #stack: AsyncDisposableStack;
  readonly #folder: string;
  readonly #flags: readonly string[];
  readonly #all: ServerNode[] = [];
  #invite = "";

  private constructor(stack: AsyncDisposableStack, folder: string, redis: RedisServer, flags: readonly string[]) {
    if ("missing" in mongodb) throw new Error(mongodb.missing);
    this.#stack = stack;
    this.#folder = folder;
    this.redis = redis;
    this.mongodb = mongodb.server;
    this.#flags = flags;
  }

  static async open({ count = 2, flags = [] }: NodesOptions = {}): Promise<Nodes> {
    if ("missing" in mongodb) throw new Error(mongodb.missing);
    const stack = new AsyncDisposableStack();
    try {
      const folder = stack.use(temporaryFolder()).path;
      const redis = stack.use(await startRedis());
      const database = stack.use(mongodb.server.database());
      const stores = ["--accounts", database.url, "--presence", redis.freshUrl()];
      const nodes = new Nodes(stack, folder, redis, [...stores, ...flags]);
      for (let at = 0; at < count; at++) await nodes.#add(at);
      return nodes;
    } catch (error) {
      await stack.disposeAsync();
      throw error;
    }
  }

  /** The flags that name the databases. */
  get stores(): readonly string[] {
    return this.#flags.slice(0, 4);
  }

  get all(): readonly ServerNode[] {
    return this.#all;
  }

  node(at: number): ServerNode {
    const node = this.#all[at];
    if (node === undefined) throw new RangeError(`there is no node ${at}`);
    return node;
  }

  /** @param first the node that is named first, which a client tries first; all others follow */
  joinLine(first = 0): string {
    const places = [this.node(first), ...this.#all.filter((_, at) => at !== first)].map(({ http }) => http);
    return this.#invite.replace(/\/\/[^/]+\//, `//${places.join(",")}/`);
  }

  /** Registers at the node `first`, and knows the others. */
  async register(name: string, first = 0): Promise<Person> {
    const person = await this.#newcomer(name, name, first);
    const { exitCode, stdout, stderr } = await person.run("register", name, "--password-file", person.passwordFile);
    if (exitCode !== 0) throw new Error(`cannot register ${name}: ${stdout}${stderr}`);
    return person;
  }

  /** Another device of somebody who has registered. */
  async anotherDevice(name: string, device: string, first = 0): Promise<Person> {
    const person = await this.#newcomer(name, `${name}-${device}`, first);
    const { exitCode, stdout, stderr } = await person.run("login", name, "--password-file", person.passwordFile);
    if (exitCode !== 0) throw new Error(`cannot sign ${name} in: ${stdout}${stderr}`);
    return person;
  }

  /** `p2p server WORDS` with the data folder of a node. */
  async operator(at: number, ...words: readonly string[]): Promise<Finished> {
    return run(["server", ...words, "--json", "--data", this.node(at).data]);
  }

  /** Another process in the place of a node that ended, at the same address. */
  async again(at: number): Promise<ServerNode> {
    const { data, http } = this.node(at);
    const node = await this.#start(data, http);
    this.#all[at] = node;
    return node;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #newcomer(name: string, home: string, first: number): Promise<Person> {
    const folder = join(this.#folder, home);
    await mkdir(folder);
    const person = new Person(name, folder, this.joinLine(first), {});
    await writeFile(person.passwordFile, `correct horse ${name}\n`, { mode: 0o600 });
    return person;
  }

  async #add(at: number): Promise<void> {
    const data = join(this.#folder, `node-${at}`);
    if (at > 0) await this.#carryKeys(data);
    this.#all.push(await this.#start(data, "127.0.0.1:0"));
  }

  async #carryKeys(data: string): Promise<void> {
    const file = join(this.#folder, `keys-${this.#all.length}`);
    for (const line of [
      ["export", file, "--data", this.node(0).data],
      ["import", file, "--data", data],
    ]) {
      const { exitCode, stderr } = await run(["server", "key", ...line]);
      if (exitCode !== 0) throw new Error(`server key ${line.join(" ")}: ${stderr}`);
    }
  }

  async #start(data: string, listen: string): Promise<ServerNode> {
    const process = this.#stack.use(start(["server", "--json", "--data", data, "--listen", listen, ...this.#flags]));
    const { http, join: line } = await process.waitFor("ready");
    if (this.#invite === "") this.#invite = line;
    return { process, http, data };
  }
}
