import { StoreError } from "../errors.ts";
import type { SharedStores } from "../shared.ts";
import type { OnTrouble } from "../trouble.ts";
import { RedisAttempts } from "./attempts.ts";
import { RedisBus } from "./bus.ts";
import { AwayError } from "./errors.ts";
import { RedisLink } from "./link.ts";
import { RedisPresenceStore } from "./presence-store.ts";
import { RedisRateBuckets } from "./rate-buckets.ts";
import { parseRedisUrl } from "./url.ts";

/**
 * @param url in one of the forms of `parseRedisUrl`
 * @throws StoreError `config` when the URL or the server is not right for us, `busy` when nobody answers
 */
export async function openRedis(url: string, onTrouble: OnTrouble): Promise<SharedStores> {
  const link = await RedisLink.open(parseRedisUrl(url), onTrouble);
  try {
    return sharedOver(link, await RedisPresenceStore.open(link));
  } catch (error) {
    await link[Symbol.asyncDispose]();
    throw error instanceof AwayError ? notOpened(link, error) : error;
  }
}

function sharedOver(link: RedisLink, presence: RedisPresenceStore): SharedStores {
  const [bus, buckets, attempts] = [new RedisBus(link), new RedisRateBuckets(link), new RedisAttempts(link)];
  return {
    presence,
    bus,
    buckets,
    attempts,
    async [Symbol.asyncDispose]() {
      for (const part of [presence, bus, buckets, attempts, link]) await part[Symbol.asyncDispose]();
    },
  };
}

function notOpened({ place }: RedisLink, { reason }: AwayError): StoreError {
  const isWrong = /belongs to a Cluster/.test(reason);
  const hint = isWrong ? "write redis+cluster://HOST:PORT,HOST:PORT" : "the server must be one that takes writes";
  const code = isWrong ? "config" : "busy";
  return new StoreError(code, `cannot open the presence store: ${place} ${reason}`, { hint });
}
