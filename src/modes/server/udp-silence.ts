import { toHex } from "../../wire/bytes.ts";
import type { Clock } from "./clock.ts";
import { type Finding, warning } from "./finding.ts";

export interface UdpSilenceOptions {
  /** UDP ports in the order of the listeners, two for each. */
  readonly ports: readonly number[];
  readonly clock: Pick<Clock, "after">;
  /** Called once at most, with the ports at which nothing has arrived. Left out: nobody asks. It may not throw. */
  readonly onSilence?: ((ports: readonly number[]) => void) | undefined;
}

/** One device may sit in a network that blocks UDP; so many in a row hardly do. */
const ENOUGH_DEVICES = 3;
/** Each asks at once, and again within a second; this is for the slowest way here. Milliseconds. */
const SETTLE_MS = 3_000;

/** Notices that people come in over TCP and nothing over UDP: a firewall, or a provider's panel, that nobody has opened. */
export class UdpSilence {
  readonly #options: UdpSilenceOptions;
  readonly #devices = new Set<string>();
  readonly #heard = new Set<number>();
  #isOver = false;

  constructor(options: UdpSilenceOptions) {
    this.#options = options;
  }

  /** A device was told the ports, and asks them all. */
  told(deviceId: Uint8Array): void {
    if (this.#isOver) return;
    this.#devices.add(toHex(deviceId));
    if (this.#devices.size < ENOUGH_DEVICES) return;
    this.#isOver = true;
    this.#options.clock.after(SETTLE_MS, () => this.#look());
  }

  /** @param listener 0 or 1: the first port of a listener, or the second */
  heard(listener: number): void {
    this.#heard.add(listener);
  }

  #look(): void {
    const silent = this.#options.ports.filter((_, at) => !this.#heard.has(at % 2));
    if (silent.length > 0) this.#options.onSilence?.(silent);
  }
}

/** What to tell the operator. @param silent ports at which nothing has arrived */
export function aboutSilence(silent: readonly number[]): Finding {
  const ports = silent.join(", ");
  const what = silent.length > 1 ? `any of the UDP ports ${ports}` : `UDP port ${ports}`;
  return warning(
    `${ENOUGH_DEVICES} devices have signed in and nothing has come in at ${what}: fewer people will connect directly`,
    `open UDP ${ports} in the firewall (${silent.map((port) => `ufw allow ${port}/udp`).join(", ")}) and in the provider's panel`,
  );
}
