import { UserError } from "./errors.ts";
import { exclusive, type FlagName, type FlagRow, flags, type FlagValue } from "./flags.ts";
import type { JoinLine } from "./join-line.ts";
import { usageError } from "./problem.ts";

/** Where a value came from, strongest first. */
export type Origin = "flag" | "environment" | "file" | "default";

/** Values as text, still to be read by their rows, with words to name the place in an error. */
export interface Source {
  readonly origin: Exclude<Origin, "default">;
  readonly values: ReadonlyMap<FlagName, readonly string[]>;
  /** `--wait`, `P2P_WAIT`, `/home/ana/.local/share/p2p/config.toml:3: wait`. */
  readonly place: (name: FlagName) => string;
}

interface Held {
  readonly value: unknown;
  readonly origin: Origin;
  readonly place: string;
}

/** Every flag and setting, merged once and then read-only: flag over environment over file over default. */
export class Settings {
  readonly #held = new Map<FlagName, Held>();

  /** @param sources strongest first. @throws UserError `usage` or `config` that names the place */
  constructor(sources: readonly Source[]) {
    for (const source of sources) {
      for (const [name, texts] of source.values) {
        const held = { value: readValue(source, name, texts), origin: source.origin, place: source.place(name) };
        if (!this.#held.has(name)) this.#held.set(name, held);
      }
    }
    for (const [a, b] of exclusive) this.#settle(a, b);
  }

  get<K extends FlagName>(name: K): FlagValue<K> {
    // The map holds under each name only what that name's own row has read.
    return (this.#held.get(name)?.value ?? flags[name].fallback) as FlagValue<K>;
  }

  origin(name: FlagName): Origin {
    return this.#held.get(name)?.origin ?? "default";
  }

  get server(): JoinLine | null {
    return this.get("server");
  }

  /** Accept every offer without asking. Never true together with {@link no}. */
  get yes(): boolean {
    return this.get("yes");
  }

  get no(): boolean {
    return this.get("no");
  }

  get quiet(): boolean {
    return this.get("quiet");
  }

  get verbose(): boolean {
    return this.get("verbose");
  }

  /** Draw nothing: plain lines only. */
  get plain(): boolean {
    return this.get("plain");
  }

  /** No ticket, no observed address, no candidate: the other end learns no address of ours. */
  get relayOnly(): boolean {
    return this.get("relay-only");
  }

  /** No user data over the server; no direct path in 10 s → exit 7. */
  get directOnly(): boolean {
    return this.get("direct-only");
  }

  get trustFirstUse(): boolean {
    return this.get("trust-first-use");
  }

  /** Routers may be asked to let others reach us. A setting without a flag: `no-port-mapping`. */
  get portMapping(): boolean {
    return !this.get("no-port-mapping");
  }

  /** Refuse people whose safety number was not compared, exit 8. */
  get requireVerified(): boolean {
    return this.get("require-verified");
  }

  /** Where the sessions of this run are traced; null for nowhere. */
  get qlog(): string | null {
    return this.get("qlog");
  }

  /** How long to ring, to sign in and to try again. Milliseconds, default 60 000. */
  get waitMs(): number {
    return this.get("wait");
  }

  /** The weaker of two opposed switches gives way; from one and the same source they are a mistake. */
  #settle(a: FlagName, b: FlagName): void {
    const [first, second] = [this.#held.get(a), this.#held.get(b)];
    if (!isOn(first) || !isOn(second)) return;
    if (first.origin === second.origin)
      throw failure(first.origin, `${second.place}: it excludes ${first.place}`, "give one of them");
    this.#held.delete(strength(first.origin) > strength(second.origin) ? b : a);
  }
}

/** What the environment says: `P2P_` and the flag's name in upper case, `-` as `_`; several values are parted by commas. */
export function fromEnvironment(env: Readonly<Record<string, string | undefined>>): Source {
  const values = new Map<FlagName, readonly string[]>();
  for (const name of Object.keys(flags) as FlagName[]) {
    const text = flags[name].reach === "line" ? undefined : env[environmentName(name)];
    if (text !== undefined && text !== "") values.set(name, flags[name].many ? text.split(",") : [text]);
  }
  return { origin: "environment", values, place: environmentName };
}

function environmentName(name: FlagName): string {
  return `P2P_${name.toUpperCase().replaceAll("-", "_")}`;
}

function readValue(source: Source, name: FlagName, texts: readonly string[]): unknown {
  const row: FlagRow<unknown> = flags[name];
  try {
    return row.read(texts);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw failure(source.origin, `${source.place(name)}: ${error.message}`, error.hint ?? "see p2p help");
  }
}

function failure(origin: Origin, message: string, hint: string): UserError {
  return origin === "file" ? new UserError("config", message, { hint }) : usageError(message, hint);
}

function isOn(held: Held | undefined): held is Held {
  return held !== undefined && held.value !== false && held.value !== null;
}

function strength(origin: Origin): number {
  return ["default", "file", "environment", "flag"].indexOf(origin);
}
