import { DatabaseProcess } from "./database-process.ts";

/** False where there is none: `test.skipIf(!hasRedis)(…)`. */
export const hasRedis = Bun.which("redis-server") !== null;

export interface RedisServer extends AsyncDisposable {
  readonly process: DatabaseProcess;
  /** Of a part of it that nobody has used. */
  freshUrl(): string;
  /** Gives one command to the server, as an operator would. @returns what it answers */
  tell(...command: readonly string[]): string;
}

/** A `redis-server` of its own that keeps nothing on disk. */
export async function startRedis(...settings: readonly string[]): Promise<RedisServer> {
  const process = await DatabaseProcess.start((port, folder) => redisServer(port, folder, settings));
  return {
    process,
    freshUrl: () => `redis://127.0.0.1:${process.port}/?prefix=${freshPrefix()}`,
    tell: (...command) => redisCli(process.port, command),
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

export function redisServer(port: number, folder: string, settings: readonly string[] = []): string[] {
  const address = ["--bind", "127.0.0.1", "--port", `${port}`];
  return ["redis-server", ...address, "--dir", folder, "--save", "", "--appendonly", "no", ...settings];
}

export function redisCli(port: number, command: readonly string[]): string {
  const run = Bun.spawnSync(["redis-cli", "-h", "127.0.0.1", "-p", `${port}`, ...command], { stdin: "ignore" });
  return run.stdout.toString().trim();
}

/** Two services share a Redis by one each. */
export function freshPrefix(): string {
  return `p2p-${crypto.randomUUID().slice(0, 8)}`;
}
