import { join } from "node:path";
import { Community, type Person } from "../support/community.ts";
import { randomFile, sha256Of } from "../support/files.ts";
import { Lab, type LabSpec, type Side } from "../support/natlab.ts";

/** Where ten times the aim of one second is granted: a slow machine is no failure. Milliseconds. */
export const DIRECT_WITHIN_MS = 10_000;

/** Ana at side a and Ben at side b of a small internet, with a server between them. */
export class Village implements AsyncDisposable {
  readonly lab: Lab;
  readonly ana: Person;
  readonly ben: Person;
  readonly #town: Community;
  #files = 0;

  private constructor(lab: Lab, town: Community, ana: Person, ben: Person) {
    this.lab = lab;
    this.ana = ana;
    this.ben = ben;
    this.#town = town;
  }

  /** @param port the server's */
  static async settle(spec: LabSpec, port = 7420): Promise<Village> {
    await using stack = new AsyncDisposableStack();
    const lab = stack.use(await Lab.up(spec));
    const flags = ["--advertise", `${lab.serverIp}:${port}`];
    const listen = hasIpv6(spec) ? `:${port}` : `0.0.0.0:${port}`;
    const town = stack.use(await Community.found({ inside: lab.inside("server"), listen, flags }));
    const settler = async (name: string, side: Side): Promise<Person> => {
      const joinLine = spec[side]?.includes("stack=v6") === true ? byIpv6(town.joinLine, lab) : town.joinLine;
      return await town.register(name, { inside: lab.inside(side), joinLine });
    };
    const [ana, ben] = [await settler("ana", "a"), await settler("ben", "b")];
    stack.move();
    return new Village(lab, town, ana, ben);
  }

  get serverPid(): number {
    return this.#town.server.pid;
  }

  /** One more, at another side. */
  newcomer(name: string, side: "c" | "d"): Promise<Person> {
    return this.#town.register(name, { inside: this.lab.inside(side) });
  }

  /** A file of random bytes, and a look at whether it lies whole in Ben's folder. */
  async file(bytes: number): Promise<{ readonly path: string; hasArrived(): Promise<boolean> }> {
    const name = `file-${++this.#files}.bin`;
    const path = join(this.#town.folder, name);
    const hash = await randomFile(path, bytes);
    return { path, hasArrived: async () => (await sha256Of(join(this.ben.inbox, name))) === hash };
  }

  /** Ends the server without a word, and starts it again on what it keeps. */
  restartServer(): Promise<void> {
    return this.#town.restart();
  }

  /** @throws Error when the server has not lived through it all */
  async [Symbol.asyncDispose](): Promise<void> {
    const { server } = this.#town;
    const isUp = (await Promise.race([server.exited, "up"])) === "up";
    await this.#town[Symbol.asyncDispose]();
    await this.lab[Symbol.asyncDispose]();
    if (!isUp) throw new Error(`the server has ended: ${server.stderr}`);
  }
}

function hasIpv6(spec: LabSpec): boolean {
  return Object.values(spec).some((side) => typeof side === "string" && side.includes("stack="));
}

function byIpv6(joinLine: string, lab: Lab): string {
  return joinLine.replace(lab.serverIp, `[${lab.serverIp6}]`);
}
