import { networkInterfaces, type NetworkInterfaceInfo } from "node:os";
import { canonicalIp, familyOf, scopeOf } from "../../wire/address.ts";
import type { Subnet } from "../../wire/traversal/subnet.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";

/** As `os.networkInterfaces()`: addresses by the name of their interface. */
export type ReadInterfaces = () => Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** What may be told of one end: more would only cost checks. */
const MAX_IPV4 = 5;
const MAX_IPV6 = 3;
/** Bridges and taps of containers and virtual machines, which lead nowhere another person is. */
const VIRTUAL = /^(?:docker|br-|veth|virbr|vmnet|vboxnet|vethernet|cni|flannel|lxc|lxd|podman|kube|cali)/i;
const POLL_MS = 2_000;
/** A poll that comes so much later means that the machine slept, and may have woken elsewhere. Milliseconds. */
const SLEPT_MS = 3_000;

/** The networks this machine is in, loopback and link-local ones left out. */
export function ownSubnets(read: ReadInterfaces = readOrNothing): readonly Subnet[] {
  return usable(read).map(({ subnet }) => subnet);
}

/** This machine's own addresses that may reach it from elsewhere, at most 8. Virtual bridges only where there is nothing else. */
export function hostIps(read: ReadInterfaces = readOrNothing): readonly string[] {
  const all = usable(read);
  const real = all.filter(({ name }) => !VIRTUAL.test(name));
  const ips = [...new Set((real.length > 0 ? real : all).map(({ subnet }) => subnet.ip))];
  const ofFamily = (family: 4 | 6) => ips.filter((ip) => familyOf(ip) === family);
  return [...ofFamily(4).slice(0, MAX_IPV4), ...ofFamily(6).slice(0, MAX_IPV6)];
}

export interface InterfaceWatchOptions {
  /** The addresses are others now, or the machine has slept. May not throw. */
  readonly onChange: () => void;
  readonly read?: ReadInterfaces;
  readonly clock?: Clock;
  /** Time that goes on while the machine sleeps. Milliseconds. */
  readonly wallMs?: () => number;
}

/** Looks every 2 s whether this machine is on another network; there is no event for it. */
export class InterfaceWatch implements Disposable {
  readonly #options: Required<InterfaceWatchOptions>;
  #subnets = "";
  #lookedAt: number;
  #cancel: () => void;

  constructor(options: InterfaceWatchOptions) {
    this.#options = { read: networkInterfaces, clock: systemClock, wallMs: Date.now, ...options };
    this.#subnets = this.#look();
    this.#lookedAt = this.#options.wallMs();
    this.#cancel = this.#schedule();
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }

  #schedule(): () => void {
    return this.#options.clock.after(POLL_MS, () => {
      this.#cancel = this.#schedule();
      this.#poll();
    });
  }

  #poll(): void {
    const [subnets, now] = [this.#look(), this.#options.wallMs()];
    const hasChanged = subnets !== this.#subnets || now - this.#lookedAt > POLL_MS + SLEPT_MS;
    this.#subnets = subnets;
    this.#lookedAt = now;
    if (hasChanged) this.#options.onChange();
  }

  /** One text per state of the machine; the last one when the system does not tell. */
  #look(): string {
    try {
      const lines = ownSubnets(this.#options.read).map(({ ip, prefix }) => `${ip}/${prefix}`);
      return lines.toSorted().join(" ");
    } catch {
      return this.#subnets;
    }
  }
}

/** The system may be out of what it needs to tell, and most who ask do so by a timer. */
export function readOrNothing(): ReturnType<ReadInterfaces> {
  try {
    return networkInterfaces();
  } catch {
    return {};
  }
}

function usable(read: ReadInterfaces): readonly { readonly name: string; readonly subnet: Subnet }[] {
  return Object.entries(read()).flatMap(([name, infos]) =>
    (infos ?? []).flatMap(({ address, cidr, internal }) => {
      const ip = canonicalIp(address);
      const prefix = Number(cidr?.split("/")[1] ?? Number.NaN);
      if (internal || ip === null || Number.isNaN(prefix) || !isReachable(ip)) return [];
      return [{ name, subnet: { ip, prefix } }];
    }),
  );
}

function isReachable(ip: string): boolean {
  const scope = scopeOf(ip);
  return scope === "public" || scope === "private" || scope === "shared";
}
