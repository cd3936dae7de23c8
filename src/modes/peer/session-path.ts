import { formatBytes } from "../cli/amounts.ts";
import { LOOKING, type Reason, reasonText } from "./path-reasons.ts";
import type { PathInfo } from "./peer-session.ts";

/** Which way a session's data goes, in words for a person, and who is told when that changes. */
export class SessionPath {
  #chosen: PathInfo;
  #hasBegun = false;
  #reason: Reason | null = null;
  /** What the server lets pass of what we relay, once it has said so. */
  #relayBytesPerSecond: number | null = null;
  #onChange: (path: PathInfo) => void = () => undefined;

  /** @param server host:port */
  constructor(server: string) {
    this.#chosen = { kind: "relay-ws", remote: server, rttMs: 0, why: "" };
  }

  get now(): PathInfo {
    if (!this.isRelayed) return this.#chosen;
    const rate = this.#relayBytesPerSecond;
    return rate === null ? { ...this.#chosen, why: this.#why } : { ...this.#chosen, ...limitedTo(rate) };
  }

  get isRelayed(): boolean {
    return isRelayed(this.#chosen);
  }

  /** Why no direct path carries it; null while there is one, and while one is looked for. */
  get reason(): Reason | null {
    return this.isRelayed ? this.#reason : null;
  }

  onChange(handler: (path: PathInfo) => void): void {
    this.#onChange = handler;
  }

  moved(path: PathInfo): void {
    const isBeginning = !this.#hasBegun && isRelayed(path);
    this.#hasBegun = true;
    this.#chosen = isBeginning ? { ...path, why: "" } : path;
    // Where every session begins is told with the session itself.
    if (!isBeginning) this.#onChange(this.now);
  }

  /** What is known now of why there is no direct path. What the server lets pass is the better news. */
  explained(reason: Reason | null): void {
    this.#reason = reason;
    if (this.isRelayed && this.#relayBytesPerSecond === null) this.#onChange(this.now);
  }

  /** The server slows down what we send over it. */
  relayLimited(bytesPerSecond: number): void {
    this.#relayBytesPerSecond = bytesPerSecond;
    if (this.isRelayed) this.#onChange(this.now);
  }

  /** While the server carries the session. */
  get #why(): string {
    if (this.#reason !== null) return reasonText(this.#reason);
    return this.#chosen.why === "" ? LOOKING : `${this.#chosen.why}; ${LOOKING}`;
  }
}

export function isRelayed({ kind }: Pick<PathInfo, "kind">): boolean {
  return kind === "relay-ws" || kind === "relay-udp";
}

function limitedTo(relayBytesPerSecond: number): Pick<PathInfo, "why" | "relayBytesPerSecond"> {
  const rate = `${formatBytes(relayBytesPerSecond)}/s`;
  return { relayBytesPerSecond, why: `the server limits what you relay: ${rate}; a direct path has no limit` };
}
