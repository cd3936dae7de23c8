import { StoreError } from "../errors.ts";
import type { OnTrouble } from "../trouble.ts";
import { COMMAND_MS, evaluate, newClient, type RedisClient } from "./connect.ts";
import { AwayError, isForGood, reasonIn } from "./errors.ts";
import type { Script } from "./scripts.ts";
import { Subscriber } from "./subscriber.ts";
import { TroubleTeller } from "./trouble-teller.ts";
import { placeOf, type RedisTarget } from "./url.ts";

/** Gap between two looks whether Redis is there. Milliseconds. */
const BEAT_MS = 1_000;
/** Looks in vain after which the connection is given up: a host that vanished says nothing, not even that. */
const MAX_SILENT_BEATS = 4;
const OPEN_MS = 2_500;
/** A Cluster's client goes from node to node in this time; the others have said before that they do not answer. */
const ANSWER_MS = COMMAND_MS + 100;

/** The way to Redis, or to a Cluster: commands on one connection, subscriptions on another. */
export class RedisLink implements AsyncDisposable {
  readonly prefix: string;
  /** As "cannot do it: PLACE REASON". */
  readonly place: string;
  readonly #commands: RedisClient;
  readonly #hearing: RedisClient;
  readonly #sharded: boolean;
  readonly #subscriber: Subscriber;
  readonly #teller: TroubleTeller;
  readonly #onBeat = new Set<(hasGap: boolean) => Promise<void>>();
  #beats: Timer | null = null;
  #lastError: unknown = null;
  /** It took too long once: until it answers again nobody else waits for it. */
  #isSilent = false;
  /** Publications may have been missed. */
  #hasGap = false;
  #silentBeats = 0;
  #isBeating = false;

  private constructor(target: RedisTarget, onTrouble: OnTrouble) {
    this.prefix = target.prefix;
    this.place = placeOf(target);
    this.#sharded = target.kind === "cluster";
    this.#commands = newClient(target);
    this.#hearing = this.#sharded ? this.#commands : newClient(target);
    this.#teller = new TroubleTeller(this.place, onTrouble);
    this.#subscriber = new Subscriber(this.#hearing, this.#sharded, () => this.#noteGap());
    for (const client of this.#clients)
      client.on("error", (error) => {
        this.#lastError = error;
      });
    this.#commands.on("close", () => this.#noteAway("is not connected"));
    this.#commands.on("ready", () => void this.#beat());
  }

  /** @throws StoreError `config` when it is not for us, `busy` when nobody answers */
  static async open(target: RedisTarget, onTrouble: OnTrouble): Promise<RedisLink> {
    const link = new RedisLink(target, onTrouble);
    try {
      await within(OPEN_MS, () => Promise.all(link.#clients.map((client) => client.connect())));
      link.#beats = setInterval(() => void link.#beat(), BEAT_MS);
      link.#beats.unref();
      return link;
    } catch (error) {
      await link[Symbol.asyncDispose]();
      throw link.#notOpened(error);
    }
  }

  /** The command by which scripts tell news. */
  get publishCommand(): "PUBLISH" | "SPUBLISH" {
    return this.#sharded ? "SPUBLISH" : "PUBLISH";
  }

  /** @throws AwayError at once when Redis is away, else within a second */
  async run(script: Script, keys: readonly string[], ...args: readonly (string | number)[]): Promise<unknown> {
    return this.#ask((client) => evaluate(client, script, keys, args));
  }

  /** @returns how many heard it @throws AwayError */
  async publish(channel: string, message: Uint8Array): Promise<number> {
    const bytes = Buffer.from(message.buffer, message.byteOffset, message.length);
    return Number(
      await this.#ask<unknown>((client) =>
        this.#sharded ? client.spublish(channel, bytes) : client.publish(channel, bytes),
      ),
    );
  }

  /** Lasts over reconnections. The listener must not throw. @returns a function that ends it */
  async subscribe(channel: string, listener: (message: Uint8Array) => void): Promise<() => void> {
    return this.#subscriber.subscribe(channel, listener);
  }

  /**
   * Called once a second while Redis answers, never twice at once. What it rejects with means that Redis is away.
   * @param listener hears whether publications may have been missed since the last time
   */
  onBeat(listener: (hasGap: boolean) => Promise<void>): void {
    this.#onBeat.add(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#beats !== null) clearInterval(this.#beats);
    this.#beats = null;
    this.#onBeat.clear();
    for (const client of this.#clients) client.disconnect();
  }

  /** One, or both. */
  get #clients(): readonly RedisClient[] {
    return [...new Set([this.#commands, this.#hearing])];
  }

  async #ask<T>(work: (client: RedisClient) => Promise<T>): Promise<T> {
    if (this.#commands.status !== "ready") throw this.#away(reasonIn(this.#lastError) ?? "is not connected");
    if (this.#isSilent) throw this.#away("does not answer");
    return this.#attempt(work);
  }

  async #attempt<T>(work: (client: RedisClient) => Promise<T>): Promise<T> {
    try {
      return await within(ANSWER_MS, () => work(this.#commands));
    } catch (error) {
      const reason = error instanceof AwayError ? error.reason : reasonIn(error);
      if (reason === null) throw error;
      this.#isSilent ||= reason === "does not answer";
      throw this.#away(reason, error);
    }
  }

  #away(reason: string, cause?: unknown): AwayError {
    this.#noteAway(reason);
    return new AwayError(reason, { cause });
  }

  #noteAway(reason: string): void {
    if (this.#beats === null) return; // not open yet, or no more
    this.#teller.away(reasonIn(this.#lastError) ?? reason);
  }

  /** A gap that could not be mended is told of again. */
  async #tellBeat(): Promise<void> {
    const hadGap = this.#hasGap;
    this.#hasGap = false;
    try {
      for (const listener of this.#onBeat) await listener(hadGap);
    } catch (error) {
      this.#hasGap ||= hadGap;
      throw error;
    }
  }

  #noteGap(): void {
    this.#hasGap = true;
    void this.#beat();
  }

  /** Never rejects. */
  async #beat(): Promise<void> {
    if (this.#isBeating || this.#beats === null || this.#commands.status !== "ready") return;
    this.#isBeating = true;
    try {
      const there = this.#clients.filter(({ status }) => status === "ready");
      await this.#attempt(() => Promise.all(there.map((client) => client.ping())));
      this.#isSilent = false;
      this.#silentBeats = 0;
      this.#lastError = null;
      await this.#tellBeat();
      this.#teller.back();
    } catch (error) {
      if (!(error instanceof AwayError)) this.#noteAway("answers what it should not");
      if (this.#isSilent && ++this.#silentBeats % MAX_SILENT_BEATS === 0)
        for (const client of this.#clients) client.disconnect(true);
    } finally {
      this.#isBeating = false;
    }
  }

  #notOpened(error: unknown): unknown {
    const cause = this.#lastError ?? error;
    const reason = error instanceof AwayError ? error.reason : (reasonIn(cause) ?? reasonIn(error));
    if (reason === null) return error;
    const hint = isForGood(cause) ? "check the URL of the presence store" : "is Redis running?";
    const code = isForGood(cause) ? "config" : "busy";
    return new StoreError(code, `cannot open the presence store: ${this.place} ${reason}`, { hint });
  }
}

/** @throws AwayError when it takes longer */
async function within<T>(limitMs: number, work: () => Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new AwayError("does not answer")), limitMs);
  try {
    return await Promise.race([work(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
