import { scopeOf } from "../../address.ts";
import type { Random } from "../../core.ts";
import { GatewaySearch } from "./gateway-search.ts";
import {
  addRequest,
  choosesPorts,
  connectionServices,
  deleteRequest,
  describeRequest,
  externalIpIn,
  externalIpRequest,
  reservedPortIn,
} from "./igd.ts";
import {
  ASKING,
  isUnwanted,
  type Lane,
  type LaneTransmit,
  Lease,
  type Leave,
  none,
  type Standing,
  type Target,
} from "./lane.ts";
import { type GatewayReply, type GatewayRequest, readSoapAnswer, type UpnpService } from "./soap.ts";
import { UpnpWish } from "./upnp-wish.ts";

/** After so long a mapping is asked for again at the latest, also one without an end. Milliseconds. */
const LEASE_MS = 3_600_000;

type Step = "describe" | "external" | "map" | "delete";

/** One mapping by UPnP: search the gateway, read what it is, ask for its address, map. For IPv4 alone. */
export class UpnpLane implements Lane {
  readonly protocol = "upnp";
  readonly #target: Target;
  readonly #wish: UpnpWish;
  #standing: Standing = ASKING;
  #leave: Leave = "look";
  #search: GatewaySearch | null = null;
  #location: string | null = null;
  /** Lines of the gateway that have not turned out to be down, the first being tried. */
  #services: readonly UpnpService[] = [];
  #externalIp: string | null = null;
  /** What is being asked by HTTP. */
  #step: Step | null = null;
  #request: GatewayRequest | null = null;
  #lease: Lease | null = null;
  /** What the gateway may have opened for us, and whom to tell when that is not wanted any more: it outlives a lease that we lost sight of. */
  #held: { readonly service: UpnpService; readonly port: number } | null = null;
  /** Of which line the last mapping was wished for. */
  #asked: UpnpService | null = null;
  #isRenewing = false;
  #hasLookedAgain = false;
  #isReleasing = false;
  #hasAskedTwice = false;
  /** What a better protocol has is not closed. */
  #takenPort: number | null = null;

  constructor(target: Target, random: Random) {
    this.#target = target;
    this.#wish = new UpnpWish(target.internalPort, random);
  }

  get standing(): Standing {
    return this.#standing;
  }

  get isReleased(): boolean {
    return !this.#isReleasing || (this.#held === null && this.#step !== "map" && this.#step !== "delete");
  }

  get dueAt(): number {
    return Math.min(this.#search?.dueAt ?? Infinity, this.#lease?.dueAt ?? Infinity);
  }

  start(now: number): void {
    this.#isReleasing = false;
    this.#isRenewing = this.#lease !== null;
    this.#location = null;
    this.#search = new GatewaySearch(now, this.#target.gatewayIp);
    if (this.#lease === null) this.#standing = ASKING;
  }

  allow(now: number, leave: Leave, takenPort: number | null): void {
    if (leave === this.#leave) return;
    this.#leave = leave;
    if (leave === "rest" && (this.#held !== null || this.#step === "map")) this.release(now, takenPort);
    else if (leave !== "rest" && isUnwanted(this.#standing)) this.start(now);
    else this.#goOn();
  }

  release(_now: number, takenPort: number | null = null): void {
    this.#isReleasing = true;
    this.#takenPort = takenPort;
    this.#search = null;
    this.#stand(none("unwanted"));
    this.#goOn();
  }

  handleDatagram(_now: number, datagram: Uint8Array): boolean {
    const url = this.#search?.locationIn(datagram) ?? null;
    if (url === null) return false;
    this.#location = url;
    this.#services = [];
    this.#externalIp = null;
    this.#search = null;
    if (this.#lease === null) this.#standing = { kind: "ready" };
    this.#goOn();
    return false;
  }

  handleTimeout(now: number): void {
    if (this.#lease?.isOver(now) === true) this.#expire();
    else if (this.#search?.takeSilence(now) === true) this.#stand(none("silent"));
    else if (this.#lease?.takeRenewal(now) === true) this.#renew();
  }

  poll(now: number): LaneTransmit | null {
    return this.#search?.poll(now) ?? null;
  }

  pollRequest(): GatewayRequest | null {
    const request = this.#request;
    this.#request = null;
    return request;
  }

  handleReply(now: number, reply: GatewayReply | null): void {
    const step = this.#step;
    this.#step = null;
    if (step === "delete") this.#deleted(reply);
    else if (this.#isReleasing) this.#answeredLate(now, step, reply);
    else if (reply === null && this.#lease !== null && !this.#hasLookedAgain) this.#lookAgain(now);
    else if (step === "describe") this.#described(reply);
    else if (step === "external") this.#placed(now, reply);
    else if (step === "map") this.#mapped(now, reply);
    this.#goOn();
  }

  /** The next step, if there is one that may be taken. */
  #goOn(): void {
    if (this.#step !== null) return;
    if (this.#isReleasing) return this.#giveBack();
    if (this.#location === null || this.#standing.kind === "none") return;
    const [service] = this.#services;
    if (this.#leave !== "rest") {
      if (service === undefined) return this.#ask("describe", describeRequest(this.#location));
      if (this.#externalIp === null) return this.#ask("external", externalIpRequest(service));
      if (this.#leave === "map" && (this.#lease === null || this.#isRenewing)) return this.#map(service);
    }
    if (this.#lease === null) this.#standing = { kind: "ready" };
  }

  #giveBack(): void {
    if (this.#held?.port === this.#takenPort) this.#held = null;
    if (this.#held !== null) this.#ask("delete", deleteRequest(this.#held.service, this.#held.port));
  }

  /** Asked once more where the gateway was busy, or it might keep what has no end. */
  #deleted(reply: GatewayReply | null): void {
    const isDone = reply !== null && readSoapAnswer("DeletePortMapping", reply).isDone;
    if (isDone || this.#hasAskedTwice) this.#held = null;
    this.#hasAskedTwice = !isDone && !this.#hasAskedTwice;
  }

  /** A gateway that held a mapping a while ago may have restarted, and be found at another place. */
  #lookAgain(now: number): void {
    this.#hasLookedAgain = true;
    this.start(now);
  }

  #expire(): void {
    if (this.#wish.leaseSeconds > 0) this.#held = null;
    this.#stand(none("silent"));
  }

  #renew(): void {
    this.#isRenewing = true;
    this.#externalIp = null;
    this.#goOn();
  }

  #map(service: UpnpService): void {
    const { ownIp, internalPort } = this.#target;
    const { action, externalPort, leaseSeconds } = this.#wish;
    this.#asked = service;
    this.#ask("map", addRequest(service, action, { ownIp, internalPort, externalPort, leaseSeconds }));
  }

  #ask(step: Step, request: GatewayRequest): void {
    this.#step = step;
    this.#request = request;
    if (this.#lease === null && !this.#isReleasing) this.#standing = ASKING;
  }

  #described(reply: GatewayReply | null): void {
    if (this.#location === null) return;
    if (reply?.status === 200) this.#services = connectionServices(reply.body, this.#location, this.#target.gatewayIp);
    const [service] = this.#services;
    if (service === undefined) this.#stand(none(reply === null ? "silent" : "unsupported"));
    else this.#wish.begin(choosesPorts(service) && this.#lease === null);
  }

  /** What is granted only now is given back like any other. */
  #answeredLate(now: number, step: Step | null, reply: GatewayReply | null): void {
    if (step !== "map" || reply === null) return;
    if (readSoapAnswer(this.#wish.action, reply).isDone) this.#mapped(now, reply);
  }

  /** A gateway may have several lines, of which one is up. */
  #placed(now: number, reply: GatewayReply | null): void {
    const answer = reply === null ? null : readSoapAnswer("GetExternalIPAddress", reply);
    const ip = answer?.isDone === true ? externalIpIn(answer.value) : null;
    if (ip !== null && scopeOf(ip) === "public") {
      this.#externalIp = ip;
      return;
    }
    const rest = this.#services.slice(1);
    if (rest.length > 0) this.#services = rest;
    else if (ip !== null) this.#useless(now);
    else this.#stand(answer === null ? none("silent") : none("refused", answer.isDone ? null : answer.code));
  }

  /** What leads only into a carrier's network is not kept. */
  #useless(now: number): void {
    if (this.#held !== null) this.release(now);
    this.#stand(none("not-public"));
  }

  #mapped(now: number, reply: GatewayReply | null): void {
    const { action, leaseSeconds, externalPort } = this.#wish;
    const answer = reply === null ? null : readSoapAnswer(action, reply);
    if (answer === null) return this.#stand(none("silent"));
    if (!answer.isDone) {
      if (!this.#wish.change(answer.code)) this.#stand(none("refused", answer.code));
      return;
    }
    this.#wish.granted((action === "AddAnyPortMapping" ? reservedPortIn(answer.value) : null) ?? externalPort);
    if (this.#asked !== null) this.#held = { service: this.#asked, port: this.#wish.externalPort };
    this.#hasLookedAgain = false;
    if (this.#isReleasing) return;
    this.#lease = new Lease(now, LEASE_MS);
    // Where the search began anew meanwhile the address is still to be told.
    this.#isRenewing = this.#externalIp === null;
    if (this.#externalIp === null) return;
    const external = { ip: this.#externalIp, port: this.#wish.externalPort };
    this.#standing = { kind: "mapped", external, leaseMs: leaseSeconds === 0 ? null : LEASE_MS };
  }

  /** Without a mapping. */
  #stand(standing: Standing): void {
    this.#standing = standing;
    this.#lease = null;
  }
}
