import { addressKey } from "../../wire/address.ts";
import type { Route } from "../../wire/session/route.ts";
import { formatBytes } from "../cli/amounts.ts";
import type { PathInfo } from "./peer-session.ts";

/** Which way a session's data goes, in words for a person, and who is told when that changes. */
export class SessionPath {
  #now: PathInfo;
  #hasBegun = false;
  /** What the server lets pass of what we relay, once it has said so. */
  #relayBytesPerSecond: number | null = null;
  #onChange: (path: PathInfo) => void = () => undefined;

  /** @param server host:port */
  constructor(server: string) {
    this.#now = { kind: "relay-ws", remote: server, rttMs: 0, why: "sessions begin over the server" };
  }

  get now(): PathInfo {
    return this.#now;
  }

  get isRelayed(): boolean {
    return this.#now.kind === "relay-ws";
  }

  onChange(handler: (path: PathInfo) => void): void {
    this.#onChange = handler;
  }

  isOn(route: Route): boolean {
    return route.kind === "udp" && addressKey(route.remote) === this.#now.remote;
  }

  moved(path: PathInfo): void {
    const rate = path.kind === "relay-ws" ? this.#relayBytesPerSecond : null;
    this.#now = { ...path, ...(rate !== null && limitedTo(rate)) };
    const isBeginning = !this.#hasBegun && this.isRelayed;
    this.#hasBegun = true;
    // Where every session begins is told with the session itself.
    if (!isBeginning) this.#onChange(this.#now);
  }

  /** The server slows down what we send over it. */
  relayLimited(bytesPerSecond: number): void {
    this.#relayBytesPerSecond = bytesPerSecond;
    if (!this.isRelayed) return;
    this.#now = { ...this.#now, ...limitedTo(bytesPerSecond) };
    this.#onChange(this.#now);
  }
}

function limitedTo(relayBytesPerSecond: number): Pick<PathInfo, "why" | "relayBytesPerSecond"> {
  const rate = `${formatBytes(relayBytesPerSecond)}/s`;
  return { relayBytesPerSecond, why: `the server limits what you relay: ${rate}; a direct path has no limit` };
}
