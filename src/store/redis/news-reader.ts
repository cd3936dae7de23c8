import { decodeNews, decodePerson, type Version } from "./entries.ts";
import type { RedisLink } from "./link.ts";
import { OnlineView } from "./online-view.ts";
import { presenceScripts } from "./scripts.ts";

/**
 * How long the people of a Redis that was flushed are still believed in: the nodes add theirs again within a lease, and
 * nobody has to hear that everyone left and came back. Milliseconds.
 */
const REBUILD_MS = 10_000;
/** Snapshots in a row that news may overtake. */
const MAX_SNAPSHOTS = 5;

/**
 * Keeps the view of who is online in line with Redis. News come by publication, which may lose some; each bears a number, and
 * once a second the last number is asked for. What does not fit is mended by reading everybody.
 */
export class NewsReader {
  readonly view = new OnlineView();
  readonly #link: RedisLink;
  readonly #keys: readonly string[];
  readonly #now: () => number;
  #version: Version = { epoch: "", count: 0 };
  /** A beat ago Redis had news that have not come: they are late, or lost. */
  #wasBehind = false;
  #rebuiltAt: number | null = null;

  constructor(link: RedisLink, keys: readonly string[], now: () => number = () => performance.now()) {
    this.#link = link;
    this.#keys = keys;
    this.#now = now;
  }

  hear(message: Uint8Array): void {
    const news = decodeNews(message);
    if (news === null) return;
    const isSame = news.epoch === this.#version.epoch;
    if (isSame && news.count <= this.#version.count) return; // a snapshot had it already
    if (!isSame) this.#rebuiltAt ??= this.#now() + REBUILD_MS;
    this.#wasBehind ||= isSame && news.count > this.#version.count + 1;
    this.#version = { epoch: news.epoch, count: news.count };
    for (const { online, ...person } of news.changes) this.view.set(person, online);
  }

  /** Once a second, while Redis answers. @throws AwayError */
  async check(hasGap: boolean): Promise<void> {
    const { epoch, count } = versionIn(await this.#run("version"));
    if (epoch !== this.#version.epoch) this.#rebuiltAt ??= this.#now() + REBUILD_MS;
    if (this.#rebuiltAt !== null && this.#now() < this.#rebuiltAt) return;
    const isBehind = count > this.#version.count;
    if (hasGap || this.#rebuiltAt !== null || (this.#wasBehind && isBehind)) await this.readAll();
    else this.#wasBehind = isBehind;
  }

  /** @throws AwayError */
  async readAll(): Promise<void> {
    for (let tries = 0; tries < MAX_SNAPSHOTS; tries++) {
      const reply = await this.#run("snapshot");
      const version = versionIn(reply);
      if (version.epoch === this.#version.epoch && version.count < this.#version.count) continue; // overtaken
      this.#version = version;
      this.#wasBehind = false;
      this.#rebuiltAt = null;
      this.view.replace(namesIn(reply).flatMap(decodePerson));
      return;
    }
  }

  async #run(name: "version" | "snapshot"): Promise<readonly unknown[]> {
    const reply = await this.#link.run(presenceScripts[name], this.#keys, this.#link.publishCommand);
    return Array.isArray(reply) ? reply : [];
  }
}

function versionIn([epoch, count]: readonly unknown[]): Version {
  return { epoch: String(epoch), count: Number(count) };
}

function namesIn([, , names]: readonly unknown[]): readonly string[] {
  return Array.isArray(names) ? names.map(String) : [];
}
