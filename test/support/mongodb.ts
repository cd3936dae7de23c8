import { MongoClient } from "mongodb";
import { DatabaseProcess } from "./database-process.ts";
import { ferretdb } from "./ferretdb/build.ts";

export interface MongoServer extends AsyncDisposable {
  readonly kind: "given" | "mongod" | "ferretdb";
  /** Of the server, without a database. */
  readonly url: string;
  /** Null for one that somebody else runs. */
  readonly process: DatabaseProcess | null;
  /** A database that nobody has used. */
  database(): MongoDatabase;
}

export interface MongoDatabase extends AsyncDisposable {
  readonly url: string;
}

export type MongoSearch = { readonly server: MongoServer } | { readonly missing: string };

/**
 * A server of its own: the one of P2P_TEST_MONGODB_URL, else `mongod`, else FerretDB built with Go.
 * @param pragmas for FerretDB's files, `max_page_count(100)`
 */
export async function startMongodb(...pragmas: readonly string[]): Promise<MongoSearch> {
  const given = process.env["P2P_TEST_MONGODB_URL"];
  if (given !== undefined && given !== "") return { server: serverAt("given", given, null) };
  if (Bun.which("mongod") !== null) return { server: await started("mongod", mongod) };
  const built = await ferretdb();
  if ("missing" in built)
    return { missing: `no P2P_TEST_MONGODB_URL, no mongod, and ${built.missing} to build FerretDB` };
  const command = (port: number, folder: string) => [built.executable, `127.0.0.1:${port}`, folder, ...pragmas];
  return { server: await started("ferretdb", command) };
}

/** Its clock must not clear away what tests date to one fixed day. */
function mongod(port: number, folder: string): string[] {
  const address = ["--bind_ip", "127.0.0.1", "--port", `${port}`];
  return ["mongod", "--quiet", "--dbpath", folder, ...address, "--setParameter", "ttlMonitorEnabled=false"];
}

async function started(
  kind: "mongod" | "ferretdb",
  command: (port: number, folder: string) => string[],
): Promise<MongoServer> {
  const server = await DatabaseProcess.start(command);
  return serverAt(kind, `mongodb://127.0.0.1:${server.port}/`, server);
}

function serverAt(kind: MongoServer["kind"], url: string, server: DatabaseProcess | null): MongoServer {
  return {
    kind,
    url,
    process: server,
    database: () => databaseIn(url),
    [Symbol.asyncDispose]: async () => server?.[Symbol.asyncDispose](),
  };
}

function databaseIn(serverUrl: string): MongoDatabase {
  const url = serverUrl.replace(
    /^([^:]+:\/\/[^/?]*)\/?[^?]*/,
    `$1/p2p_test_${crypto.randomUUID().replaceAll("-", "")}`,
  );
  return { url, [Symbol.asyncDispose]: () => drop(url) };
}

async function drop(url: string): Promise<void> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 5_000 });
  await client.db().dropDatabase();
  await client.close();
}
