/** From what must be seen to what only a developer wants. */
export const logLevels = ["error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof logLevels)[number];

export type LogField = string | number | boolean | null | undefined | Pii | Secret;
export type LogFields = Readonly<Record<string, LogField>>;
type Write = (name: string, fields?: LogFields) => void;

/** `log.info("path-selected", { kind: "relay-ws", rttMs: 41 })`: a constant name, and the values in fields with their units. */
export interface Log {
  readonly error: Write;
  readonly warn: Write;
  readonly info: Write;
  readonly debug: Write;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** JSON lines for programs, else text for a person at a terminal. */
  readonly json: boolean;
  /** Takes one line with its end. */
  readonly write: (line: string) => void;
  /** Monotonic ms, for the rate limit. */
  readonly now: () => number;
  /** Unix ms, for the time stamp. */
  readonly wallClock: () => number;
}

/** Lines of one name that a window lets through; the first line of the next window tells how many were left out. */
const LINES_PER_WINDOW = 10;
const WINDOW_MS = 10_000;
const HIDDEN = "<hidden>";

/** A name or an address: shown at level debug only, so that a log can be shared. */
export class Pii {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  reveal(): string {
    return this.#value;
  }
  toString(): string {
    return HIDDEN;
  }
  toJSON(): string {
    return HIDDEN;
  }
}

/** What no level shows. Takes no value, so that there is nothing to leak. */
export class Secret {
  toString(): string {
    return HIDDEN;
  }
  toJSON(): string {
    return HIDDEN;
  }
}

export function pii(value: string): Pii {
  return new Pii(value);
}

export function createLog(options: LogOptions): Log {
  const limiter = new NameLimiter(options.now);
  const writer =
    (level: LogLevel): Write =>
    (name, fields = {}) => {
      if (logLevels.indexOf(level) > logLevels.indexOf(options.level)) return;
      const leftOut = limiter.take(name);
      if (leftOut === null) return;
      const plain = shown(leftOut > 0 ? { ...fields, leftOut } : fields, options.level === "debug");
      options.write(
        options.json
          ? jsonLine(options.wallClock(), level, name, plain)
          : textLine(options.wallClock(), level, name, plain),
      );
    };
  return { error: writer("error"), warn: writer("warn"), info: writer("info"), debug: writer("debug") };
}

/** For the process: to stderr, text on a terminal, JSON lines elsewhere. */
export function openLog(level: LogLevel, stderrIsTerminal: boolean): Log {
  return createLog({
    level,
    json: !stderrIsTerminal,
    write: (line) => void process.stderr.write(line),
    now: () => performance.now(),
    wallClock: () => Date.now(),
  });
}

type Shown = Readonly<Record<string, string | number | boolean | null>>;

function shown(fields: LogFields, revealing: boolean): Shown {
  const plain: Record<string, string | number | boolean | null> = {};
  for (const [key, field] of Object.entries(fields)) {
    if (field === undefined) continue;
    if (field instanceof Pii) plain[key] = revealing ? field.reveal() : HIDDEN;
    else plain[key] = field instanceof Secret ? HIDDEN : field;
  }
  return plain;
}

function jsonLine(atMs: number, level: LogLevel, name: string, fields: Shown): string {
  const head = { time: new Date(atMs).toISOString(), level, name };
  // Twice: once to stand first, once so that no field can take its place.
  return `${escaped(JSON.stringify({ ...head, ...fields, ...head }))}\n`;
}

function textLine(atMs: number, level: LogLevel, name: string, fields: Shown): string {
  const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${textValue(value)}`);
  return `${new Date(atMs).toISOString().slice(11, 23)} ${level.padEnd(5)} ${name}${pairs.join("")}\n`;
}

function textValue(value: string | number | boolean | null): string {
  return typeof value === "string" && !/^[\w.:/[\]@+-]+$/.test(value) ? escaped(JSON.stringify(value)) : String(value);
}

/** Control characters beyond ASCII and invisible ones, which JSON leaves as they are. */
function escaped(json: string): string {
  return json.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Nobody can fill a disk by making one thing happen often. Names are constants of the program, so the table is small. */
class NameLimiter {
  readonly #now: () => number;
  readonly #windows = new Map<string, { startedAt: number; lines: number; leftOut: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @returns how many lines were left out before this one; null when this one is left out too */
  take(name: string): number | null {
    const now = this.#now();
    const window = this.#windows.get(name);
    if (window === undefined || now - window.startedAt >= WINDOW_MS) {
      this.#windows.set(name, { startedAt: now, lines: 1, leftOut: 0 });
      return window?.leftOut ?? 0;
    }
    if (++window.lines <= LINES_PER_WINDOW) return 0;
    window.leftOut++;
    return null;
  }
}
