import { parseIp, type UdpAddress } from "../../src/wire/address.ts";
import { concat, utf8 } from "../../src/wire/bytes.ts";
import type { Mapper } from "../../src/wire/traversal/network-report.ts";
import type { GatewayReply, GatewayRequest } from "../../src/wire/traversal/port-mapping/soap.ts";
import { findElement, readXml } from "../../src/wire/traversal/port-mapping/xml.ts";
import { hex } from "./bytes.ts";
import { recorded } from "./recorded-gateway.ts";

const SERVICE = "urn:schemas-upnp-org:service:WANIPConnection:";

/** A gateway with as much of the three protocols as a test needs, at 192.168.1.1 for one machine. */
export class ModelGateway {
  speaks: readonly Mapper[] = ["pcp", "nat-pmp", "upnp"];
  externalIp = "28.1.0.10";
  /** What it answers to every wish for a mapping by PCP and NAT-PMP; 0 for success. */
  refusal = 0;
  /** Of WANIPConnection. */
  version = 1;
  permanentOnly = false;
  lifetimeSeconds = 7_200;
  /** As miniupnpd does with some pinholes. */
  refusesToEnd = false;
  /** On the clock of the test. Milliseconds. */
  startedAt = -1_000_000;
  /** External ports that others have. */
  readonly taken = new Set<number>();
  /** By external port, what for: `pcp 0102… 40000`. */
  readonly held = new Map<number, string>();
  /** What was asked of it, in order. */
  readonly asked: string[] = [];
  /** Of machines behind it, the last to ask by PCP. */
  lastNonce = "";

  /** @returns the answer, or null where nothing answers */
  datagram(now: number, bytes: Uint8Array, to: UdpAddress): Uint8Array | null {
    if (to.port === 1_900) return this.#search(to);
    return bytes[0] === 2 ? this.#pcp(now, bytes) : this.#natPmp(now, bytes);
  }

  http({ url, method, body }: GatewayRequest): GatewayReply | null {
    if (!this.speaks.includes("upnp")) return null;
    if (method === "GET") return this.#described(url);
    const envelope = readXml(body ?? "");
    const action = envelope === null ? undefined : findElement(envelope, "Body")?.children[0];
    this.asked.push(action?.name ?? "nonsense");
    const value = (name: string) => (action === undefined ? "" : (findElement(action, name)?.text ?? ""));
    if (action?.name === "GetExternalIPAddress")
      return done(action.name, `<NewExternalIPAddress>${this.externalIp}</NewExternalIPAddress>`);
    if (action?.name === "DeletePortMapping") return this.#deleted(Number(value("NewExternalPort")));
    return this.#added(action?.name ?? "", value);
  }

  forget(now: number): void {
    this.startedAt = now;
    this.held.clear();
  }

  #search(to: UdpAddress): Uint8Array | null {
    this.asked.push(`search ${to.ip}`);
    return this.speaks.includes("upnp") ? utf8(recorded.search) : null;
  }

  #pcp(now: number, bytes: Uint8Array): Uint8Array | null {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const [lifetime, internalPort, suggested] = [view.getUint32(4), view.getUint16(40), view.getUint16(42)];
    this.asked.push(`pcp ${lifetime}`);
    if (!this.speaks.includes("pcp")) return this.speaks.includes("nat-pmp") ? hex("0081000100000007") : null;
    this.lastNonce = bytes.subarray(24, 36).toHex();
    const result = lifetime > 0 ? this.refusal : this.refusesToEnd ? 2 : 0;
    if (result === 0 && lifetime === 0) this.held.delete(suggested);
    else if (result === 0) this.held.set(suggested, `pcp ${this.lastNonce} ${internalPort}`);
    const answer = bytes.with(1, 0x81).fill(0, 8, 24).with(3, result);
    const out = new DataView(answer.buffer);
    out.setUint32(4, lifetime === 1 ? 10 : lifetime === 0 ? 0 : this.lifetimeSeconds);
    out.setUint32(8, this.#epoch(now));
    // A hole in the firewall for IPv6: the address stays.
    answer.set(bytes[8] === 0 ? concat(hex("00000000000000000000ffff"), this.#ip()) : bytes.subarray(8, 24), 44);
    return answer;
  }

  #natPmp(now: number, bytes: Uint8Array): Uint8Array | null {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    this.asked.push(bytes.length === 2 ? "nat-pmp external" : `nat-pmp ${view.getUint32(8)}`);
    if (!this.speaks.includes("nat-pmp")) return this.speaks.includes("pcp") ? hex(recorded.pcp.otherVersion) : null;
    const head = new DataView(new ArrayBuffer(8));
    head.setUint8(1, bytes.length === 2 ? 0x80 : 0x81);
    head.setUint16(2, this.refusal);
    head.setUint32(4, this.#epoch(now));
    if (bytes.length === 2) return concat(new Uint8Array(head.buffer), this.#ip());
    const [internalPort, suggested, lifetime] = [view.getUint16(4), view.getUint16(6), view.getUint32(8)];
    if (lifetime === 0)
      for (const [port, what] of this.held) if (what === `nat-pmp ${internalPort}`) this.held.delete(port);
    if (lifetime > 0 && this.refusal === 0) this.held.set(suggested, `nat-pmp ${internalPort}`);
    const tail = new DataView(new ArrayBuffer(8));
    tail.setUint16(0, internalPort);
    tail.setUint16(2, lifetime === 0 ? 0 : suggested);
    tail.setUint32(4, lifetime === 0 ? 0 : this.lifetimeSeconds);
    return concat(new Uint8Array(head.buffer), new Uint8Array(tail.buffer));
  }

  #described(url: string): GatewayReply {
    this.asked.push("describe");
    if (url !== "http://192.168.1.1:5000/rootDesc.xml") return { status: 404, body: "" };
    return { status: 200, body: recorded.description.replace("WANIPConnection:2", `WANIPConnection:${this.version}`) };
  }

  #added(action: string, value: (name: string) => string): GatewayReply {
    let port = Number(value("NewExternalPort"));
    if (this.permanentOnly && value("NewLeaseDuration") !== "0") return refused(725);
    if (this.taken.has(port) && action === "AddPortMapping") return refused(718);
    while (this.taken.has(port)) port++;
    if (action === "AddAnyPortMapping" && this.version === 1) return refused(401);
    this.held.set(port, `upnp ${value("NewLeaseDuration")} ${value("NewInternalClient")}:${value("NewInternalPort")}`);
    return done(action, action === "AddPortMapping" ? "" : `<NewReservedPort>${port}</NewReservedPort>`);
  }

  #deleted(port: number): GatewayReply {
    return this.held.delete(port) ? done("DeletePortMapping", "") : refused(714);
  }

  #epoch(now: number): number {
    return Math.floor((now - this.startedAt) / 1_000);
  }

  #ip(): Uint8Array {
    return parseIp(this.externalIp) ?? new Uint8Array(4);
  }
}

function done(action: string, inside: string): GatewayReply {
  const body = `<s:Envelope xmlns:s="x"><s:Body><u:${action}Response xmlns:u="${SERVICE}1">${inside}</u:${action}Response></s:Body></s:Envelope>`;
  return { status: 200, body };
}

function refused(code: number): GatewayReply {
  return { status: 500, body: recorded.conflict.replace("718", `${code}`) };
}
