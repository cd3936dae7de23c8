import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run, start, type Finished, type P2p, type StartOptions } from "./binary.ts";
import { temporaryFolder } from "./folder.ts";

export interface CommunityOptions {
  /** In front of the server's command: `lab.inside("server")`. */
  readonly inside?: readonly string[];
  /** Where the server listens. Default: a free port of 127.0.0.1. */
  readonly listen?: string;
  /** Further flags of `p2p server`. */
  readonly flags?: readonly string[];
  /** Of the server, such as its limits. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface NewcomerOptions extends StartOptions {
  /** The server's, by another address than it tells. */
  readonly joinLine?: string;
}

/** A server with a store of its own, and whoever registers with it, for as long as it is held. */
export class Community implements AsyncDisposable {
  readonly folder: string;
  /** With the invitation of the first start. */
  readonly joinLine: string;
  /** The server's TCP address, host:port. */
  readonly http: string;
  readonly udp: readonly string[];
  readonly #stack: AsyncDisposableStack;
  readonly #options: CommunityOptions;
  #server: P2p;

  private constructor(
    stack: AsyncDisposableStack,
    folder: string,
    server: P2p,
    ready: Ready,
    options: CommunityOptions,
  ) {
    this.#stack = stack;
    this.#options = options;
    this.folder = folder;
    this.#server = server;
    this.joinLine = ready.join;
    this.http = ready.http;
    this.udp = ready.udp;
  }

  static async found(options: CommunityOptions = {}): Promise<Community> {
    const stack = new AsyncDisposableStack();
    try {
      const folder = stack.use(temporaryFolder()).path;
      const server = stack.use(startServer(join(folder, "server"), options));
      return new Community(stack, folder, server, await server.waitFor("ready"), options);
    } catch (error) {
      await stack.disposeAsync();
      throw error;
    }
  }

  get server(): P2p {
    return this.#server;
  }

  /** Ends the server without a word, and starts it again on what it keeps; where it listens must be said in the options. */
  async restart(): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    this.#server = this.#stack.use(startServer(this.dataFolder, this.#options));
    await this.#server.waitFor("ready");
  }

  /** The server's, for `--data`. */
  get dataFolder(): string {
    return join(this.folder, "server");
  }

  /** Registers by the join line, as a script does. */
  async register(name: string, options: NewcomerOptions = {}): Promise<Person> {
    const person = await this.newcomer(name, options);
    const { exitCode, stderr } = await person.run("register", name, "--password-file", person.passwordFile);
    if (exitCode !== 0) throw new Error(`cannot register ${name}: ${stderr}`);
    return person;
  }

  /** A home that has not registered yet. */
  async newcomer(name: string, { joinLine, ...options }: NewcomerOptions = {}, home = name): Promise<Person> {
    const folder = join(this.folder, home);
    await mkdir(folder);
    const person = new Person(name, folder, joinLine ?? this.joinLine, options);
    await writeFile(person.passwordFile, `correct horse ${name}\n`, { mode: 0o600 });
    return person;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

interface Ready {
  readonly join: string;
  readonly http: string;
  readonly udp: readonly string[];
}

export function startServer(data: string, options: CommunityOptions = {}): P2p {
  const listen = options.listen ?? "127.0.0.1:0";
  const { inside, env = {}, flags = [] } = options;
  return start(["server", "--json", "--data", data, "--listen", listen, ...flags], {
    env,
    ...(inside === undefined ? {} : { inside }),
  });
}

/** Somebody with a home folder and a folder for what arrives. */
export class Person {
  readonly name: string;
  readonly home: string;
  readonly passwordFile: string;
  /** For `receive --out`. */
  readonly inbox: string;
  readonly #options: StartOptions;
  readonly #joinLine: string;

  constructor(name: string, folder: string, joinLine: string, options: StartOptions) {
    this.name = name;
    this.home = join(folder, "home");
    this.inbox = join(folder, "inbox");
    this.passwordFile = join(folder, "password");
    this.#joinLine = joinLine;
    this.#options = options;
  }

  /** `p2p ARGS --json` with this home, to its end. */
  run(...args: readonly string[]): Promise<Finished> {
    return run(this.#line(args), this.#options);
  }

  start(...args: readonly string[]): P2p {
    return start(this.#line(args), this.#options);
  }

  startWith(options: StartOptions, ...args: readonly string[]): P2p {
    return start(this.#line(args), { ...this.#options, ...options });
  }

  /** `receive`, once it can be found. */
  async receiving(...flags: readonly string[]): Promise<P2p> {
    const receiver = this.start("receive", "--out", this.inbox, ...(flags.length > 0 ? flags : ["--yes"]));
    await receiver.waitFor("waiting");
    return receiver;
  }

  #line(args: readonly string[]): readonly string[] {
    const server = args[0] === "register" || args[0] === "login" ? ["--server", this.#joinLine] : [];
    return [...args, "--json", "--home", this.home, ...server];
  }
}
