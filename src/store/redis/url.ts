import { StoreError } from "../errors.ts";

/** Where Redis is, and as whom we come. */
export interface RedisTarget {
  readonly kind: "single" | "cluster" | "sentinel";
  readonly hosts: readonly RedisHost[];
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly database: number;
  /** What Sentinel calls the master. */
  readonly master: string;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  /** In front of all keys and channels, so that two services can share a Redis. */
  readonly prefix: string;
}

export interface RedisHost {
  readonly host: string;
  readonly port: number;
}

const kinds = new Map<string, RedisTarget["kind"]>([
  ["redis", "single"],
  ["redis+cluster", "cluster"],
  ["redis+sentinel", "sentinel"],
]);
const parameters = ["prefix", "sentinel-user", "sentinel-password"];

/** user and password, hosts, path, query */
const SHAPE = /^([a-z+]+):\/\/(?:([^@/?#:]*)(?::([^@/?#]*))?@)?([^@/?#]+)(?:\/([^?#]*))?(?:\?([^#]*))?$/i;
const HOST = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/i;

/**
 * - `redis://[USER:PASSWORD@]HOST[:6379][/DATABASE]`
 * - `redis+cluster://[USER:PASSWORD@]HOST[:6379],HOST…`: some of the Cluster's nodes; the rest is found
 * - `redis+sentinel://[USER:PASSWORD@]HOST[:26379],HOST…/MASTER[/DATABASE]`: the sentinels, and what they call the master
 *
 * With `rediss` in place of `redis` all of it goes over TLS. `?prefix=NAME` (default `p2p`) keeps services apart that share a
 * Redis; sentinels with a password of their own get `sentinel-user=` and `sentinel-password=`.
 * @throws StoreError `config`, which repeats nothing of the URL
 */
export function parseRedisUrl(url: string): RedisTarget {
  try {
    const [, scheme = "", username, password, hosts = "", path = "", query = ""] = SHAPE.exec(url) ?? [];
    const kind = must(kinds.get(scheme.toLowerCase().replace(/^rediss/, "redis")));
    const [master, database] = placeIn(kind, path);
    return {
      kind,
      hosts: hosts.split(",").map((host) => hostIn(host, kind === "sentinel" ? 26_379 : 6_379)),
      tls: /^rediss/i.test(scheme),
      ...named("username", username),
      ...named("password", password),
      database,
      master,
      ...queryIn(query),
    };
  } catch (error) {
    if (error instanceof Misread || error instanceof URIError) throw misread();
    throw error;
  }
}

/** As a person knows it, without credentials. */
export function placeOf({ kind, hosts, master }: RedisTarget): string {
  const where = hosts.map(({ host, port }) => `${host.includes(":") ? `[${host}]` : host}:${port}`).join(",");
  if (kind === "cluster") return `the Redis Cluster at ${where}`;
  return kind === "sentinel" ? `Redis (${master} of the sentinels at ${where})` : `Redis at ${where}`;
}

function placeIn(kind: RedisTarget["kind"], path: string): [master: string, database: number] {
  const parts = path.split("/").map(decodeURIComponent);
  const master = kind === "sentinel" ? must(parts.shift() || undefined) : "";
  const database = parts.shift() || "0";
  if (!/^\d{1,4}$/.test(database) || parts.length > 0 || (kind === "cluster" && database !== "0")) throw new Misread();
  return [master, Number(database)];
}

function hostIn(text: string, usualPort: number): RedisHost {
  const [, ipv6, name, port] = must(HOST.exec(text) ?? undefined);
  const number = Number(port ?? usualPort);
  if (number < 1 || number > 65_535) throw new Misread();
  return { host: must(ipv6 ?? name), port: number };
}

function queryIn(query: string): Pick<RedisTarget, "prefix" | "sentinelUsername" | "sentinelPassword"> {
  const found = new URLSearchParams(query);
  if ([...found.keys()].some((name) => !parameters.includes(name))) throw new Misread();
  const prefix = found.get("prefix") ?? "p2p";
  if (!/^[\w.-]{1,32}$/.test(prefix)) throw new Misread();
  return {
    prefix,
    ...named("sentinelUsername", found.get("sentinel-user") ?? undefined),
    ...named("sentinelPassword", found.get("sentinel-password") ?? undefined),
  };
}

function named<Name extends string>(name: Name, value: string | undefined): Partial<Record<Name, string>> {
  return value === undefined || value === "" ? {} : ({ [name]: decodeURIComponent(value) } as Record<Name, string>);
}

class Misread extends Error {}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Misread();
  return value;
}

function misread(): StoreError {
  return new StoreError("config", "cannot open the presence store: its URL is not understood", {
    hint: "write redis://USER:PASSWORD@HOST:6379/0, with %40 for an @ in the password",
  });
}
