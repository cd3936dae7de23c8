import type { Random } from "../../core.ts";
import { type AddAction, upnpError } from "./igd.ts";

const LEASE_SECONDS = 3_600;
/** How many are tried where somebody else has ours. */
const MAX_PORTS = 4;
const LOWEST_PORT = 32_768;

/** In which words to ask a gateway for a mapping: they differ in what they take. */
export class UpnpWish {
  readonly #internalPort: number;
  readonly #random: Random;
  #port: number;
  #portsLeft = MAX_PORTS;
  #leaseSeconds = LEASE_SECONDS;
  #letsChoose = false;

  constructor(internalPort: number, random: Random) {
    this.#internalPort = internalPort;
    this.#random = random;
    this.#port = internalPort;
  }

  get externalPort(): number {
    return this.#port;
  }

  /** 0: until somebody ends it. */
  get leaseSeconds(): number {
    return this.#leaseSeconds;
  }

  get action(): AddAction {
    return this.#letsChoose ? "AddAnyPortMapping" : "AddPortMapping";
  }

  /** @param letsChoose the gateway takes another port by itself where ours is taken */
  begin(letsChoose: boolean): void {
    this.#letsChoose = letsChoose;
    this.#portsLeft = MAX_PORTS;
  }

  /** This is ours now, and asked for again by its number. */
  granted(port: number): void {
    this.#port = port;
    this.#letsChoose = false;
  }

  /** @param code what the gateway found wrong. @returns whether to ask again, in other words */
  change(code: number | null): boolean {
    if (code === upnpError.permanentLeasesOnly && this.#leaseSeconds > 0) this.#leaseSeconds = 0;
    else if (this.#letsChoose) this.#letsChoose = false;
    else if (code === upnpError.samePortsOnly && this.#port !== this.#internalPort) this.#port = this.#internalPort;
    else if (code === upnpError.conflict && this.#portsLeft > 1) this.#takeOtherPort();
    else return false;
    return true;
  }

  #takeOtherPort(): void {
    const [high = 0, low = 0] = this.#random(2);
    this.#portsLeft--;
    this.#port = LOWEST_PORT + (((high << 8) | low) % LOWEST_PORT);
  }
}
