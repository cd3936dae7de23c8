import type { LinkOptions } from "./link.ts";
import { Nat, type NatOptions } from "./nat.ts";
import { NatBox, type Outside } from "./nat-box.ts";
import { Access, NatCore } from "./nat-core.ts";
import { Lan, NatHost } from "./nat-host.ts";
import { type NatKind, natKinds } from "./nat-kinds.ts";
import type { SimNetwork } from "./network.ts";

/** What is in front of one host. */
export interface SideOptions {
  readonly kind: NatKind;
  /** Of its line to the core, each way. */
  readonly link?: LinkOptions;
  readonly hairpins?: boolean;
  /** Changes to its outermost box. */
  readonly nat?: Partial<NatOptions>;
}

/** Where a further host sits: in the same home network, in another one of the same router, or in another home of the same carrier. */
export type Neighbourhood = "same-lan" | "same-nat" | "same-cgnat";
export type Rebind = "ip" | "port" | "flush";

const LAB_LINK: LinkOptions = { delayMs: 0.1 };
const FIRST_EXTERNAL = 10;

/** An internet with a few homes, numbered and addressed as in the laboratory: side i has 28.i.0.0/24 outside and 192.168.i.0/24 inside. */
export class NatWorld {
  readonly network: SimNetwork;
  readonly core: NatCore;
  readonly #overlaps: boolean;
  #sides = 0;

  /** @param overlaps all homes have the same addresses inside */
  constructor(network: SimNetwork, overlaps = false) {
    this.network = network;
    this.core = new NatCore(network);
    this.#overlaps = overlaps;
  }

  addSide(options: SideOptions): NatSide {
    const n = ++this.#sides;
    const access = new Access(this.core, options.link ?? LAB_LINK);
    const boxes = this.#boxes(n, options, access);
    const [router, outermost] = [boxes[0], boxes.at(-1)];
    if (router === undefined || outermost === undefined) throw new Error("there is always a box");
    access.connect(outermost);
    const isPublic = router.nat.options.mapping === "none";
    const lan = new Lan(isPublic ? `28.${n}.1` : this.#homePrefix(n), router);
    return new NatSide(
      this.core,
      n,
      access,
      boxes,
      new NatHost(this.network, lan, `${lan.prefix}.${this.#hostNumber(n)}`),
    );
  }

  addNeighbour(of: NatSide, where: Neighbourhood): NatSide {
    const n = ++this.#sides;
    const [router, carrier] = of.boxes;
    if (where === "same-lan" || router === undefined) return this.#join(of, n, of.boxes, of.host.lan);
    if (where === "same-nat") return this.#join(of, n, of.boxes, new Lan(`192.168.${n}`, router));
    if (carrier === undefined) throw new Error("there is no carrier");
    const own = this.#box(natKinds.cone[0], [`100.64.${n}.10`], carrier);
    carrier.connect(`100.64.${n}.10`, own);
    return this.#join(of, n, [own, carrier], new Lan(this.#homePrefix(n), own));
  }

  #join(side: NatSide, n: number, boxes: readonly NatBox[], lan: Lan): NatSide {
    const number = lan === side.host.lan ? 100 + n : this.#hostNumber(n);
    return new NatSide(this.core, n, side.access, boxes, new NatHost(this.network, lan, `${lan.prefix}.${number}`));
  }

  /** The nearest first. */
  #boxes(n: number, { kind, hairpins = false, nat = {} }: SideOptions, access: Access): readonly NatBox[] {
    const tables: readonly NatOptions[] = natKinds[kind];
    const [home, carrier] = tables.map((each, index) => ({
      ...each,
      hairpins,
      ...(index === tables.length - 1 && nat),
    }));
    if (home === undefined) throw new Error("there is always a box");
    if (carrier === undefined) return [this.#box(home, externalIps(n, FIRST_EXTERNAL, home), access)];
    const outer = this.#box(carrier, externalIps(n, FIRST_EXTERNAL, carrier), access);
    const inner = this.#box(home, [`100.64.${n}.10`], outer);
    outer.connect(`100.64.${n}.10`, inner);
    return [inner, outer];
  }

  #box(options: NatOptions, ips: readonly string[], outside: Outside): NatBox {
    return new NatBox(this.network, new Nat(options, ips, this.network.random.fork()), outside);
  }

  #homePrefix(n: number): string {
    return this.#overlaps ? "192.168.1" : `192.168.${n}`;
  }

  #hostNumber(n: number): number {
    return this.#overlaps ? 101 : 100 + n;
  }
}

/** One host, what is in front of it, and what may happen to that. */
export class NatSide {
  readonly host: NatHost;
  readonly access: Access;
  /** The nearest to the host first. */
  readonly boxes: readonly NatBox[];
  readonly #core: NatCore;
  readonly #n: number;
  #firstExternal = FIRST_EXTERNAL;

  constructor(core: NatCore, n: number, access: Access, boxes: readonly NatBox[], host: NatHost) {
    this.#core = core;
    this.#n = n;
    this.access = access;
    this.boxes = boxes;
    this.host = host;
    this.#plug();
  }

  /** All boxes forget what they know; and the outermost has new ports from then on, or another address. */
  rebind(how: Rebind): void {
    if (this.#isPublic && how !== "flush") return this.roam();
    const nat = this.boxes.at(-1)?.nat;
    for (const box of this.boxes) box.nat.flush();
    if (how === "port") nat?.shiftPorts();
    if (how !== "ip" || nat === undefined) return;
    this.#unplug();
    this.#firstExternal += 10;
    nat.renumber(externalIps(this.#n, this.#firstExternal, nat.options));
    this.#plug();
  }

  /** The host itself gets another address in its network, as on another Wi-Fi. @param number the last of that address */
  roam(number = Number(this.host.ip.split(".")[3]) + 20): void {
    const { host } = this;
    this.#unplug();
    host.readdress(`${host.lan.prefix}.${number}`);
    this.#plug();
  }

  get #isPublic(): boolean {
    return this.boxes[0]?.nat.options.mapping === "none";
  }

  get #publicIps(): readonly string[] {
    return this.#isPublic ? [this.host.ip] : (this.boxes.at(-1)?.nat.externalIps ?? []);
  }

  #plug(): void {
    this.boxes[0]?.connect(this.host.ip, this.host);
    for (const ip of this.#publicIps) this.#core.attach(ip, this.access);
  }

  #unplug(): void {
    this.boxes[0]?.disconnect(this.host.ip);
    for (const ip of this.#publicIps) this.#core.detach(ip);
  }
}

function externalIps(n: number, first: number, { pool = 1 }: NatOptions): readonly string[] {
  return Array.from({ length: pool }, (_, index) => `28.${n}.0.${first + index}`);
}
