import { toHex } from "../../wire/bytes.ts";
import { DIRECT_ONLY_MS, NO_RELAY_MS } from "../../wire/limits.ts";
import { ranks, purposes, type SignallingMessage } from "../../wire/messages/signalling.ts";
import type { Answer, Request } from "../../wire/rendezvous/peer-end.ts";
import { hiddenReport, type NetworkReport } from "../../wire/traversal/network-report.ts";
import { SELF } from "../cli/command.ts";
import { UserError } from "../cli/errors.ts";
import { formatHostPort } from "../cli/join-line.ts";
import type { Qlog } from "../runtime/qlog.ts";
import { ask, type Exchange, type Target } from "./asking.ts";
import { Doorway, type Caller } from "./doorway.ts";
import type { Established } from "./established.ts";
import { Introductions } from "./introductions.ts";
import type { LiveSession } from "./live-session.ts";
import { Network } from "./network.ts";
import { type NetworkView, ownReport, ownStanding } from "./own-network.ts";
import type { Asking, Incoming, Listening, PeerNode, Presence } from "./peer-node.ts";
import type { PeerSession } from "./peer-session.ts";
import type { People } from "./people.ts";
import { PingDesk } from "./ping-desk.ts";
import { type Place, placeOf } from "./place.ts";
import { PortMapping } from "./port-mapping/port-mapping.ts";
import type { ServerLink } from "./server-link.ts";
import { SessionBook } from "./session-book.ts";
import type { Switchboard } from "./switchboard.ts";
import { unexpected } from "./unexpected.ts";
import type { UdpEndpoint } from "./udp-endpoint.ts";

export interface NodeParts extends Exchange {
  readonly people: People;
  readonly endpoint: UdpEndpoint;
  readonly link: ServerLink;
  readonly switchboard: Switchboard;
  readonly policy: NodePolicy;
  /** Where sessions are traced; null or left out for nowhere. */
  readonly qlog?: Qlog | null;
  /** What a callback threw: a defect of ours. */
  readonly onFault: (error: unknown) => void;
}

export interface NodePolicy {
  readonly relayOnly: boolean;
  readonly directOnly: boolean;
  readonly requireVerified: boolean;
  /** Whether gateways may be asked to let others reach us; left out: not. */
  readonly portMapping?: boolean;
}

/** After the server said that the other's ring stands, for that ring to come. Milliseconds. */
const CROSSING_TIMEOUT_MS = 5_000;

/** A signed-in program on real sockets. */
export class LiveNode implements PeerNode {
  readonly failed: Promise<never>;
  readonly #failed = Promise.withResolvers<never>();
  readonly #parts: NodeParts;
  readonly #network: Network;
  readonly #mapping: PortMapping;
  readonly #sessions: SessionBook;
  readonly #introductions: Introductions;
  readonly #doorway: Doorway;
  readonly #pings = new PingDesk();
  /** People we ring for a chat, and their ring when it came meanwhile. */
  readonly #crossing = new Map<string, PromiseWithResolvers<Caller>>();
  #listening: Listening | null = null;
  #onUsers: ((changes: readonly Presence[]) => void) | null = null;
  #onServer: (up: boolean) => void = () => undefined;

  /** @param parts with the link signed in */
  constructor(parts: NodeParts) {
    this.#parts = parts;
    this.failed = this.#failed.promise;
    this.failed.catch(() => undefined);
    parts.link.failed.catch((error: unknown) => this.#failed.reject(error));
    this.#sessions = new SessionBook(parts.link, parts.switchboard);
    this.#network = new Network(parts.endpoint, parts.link, () => this.#guard(() => this.#movedHere()));
    this.#mapping = new PortMapping({
      sockets: parts.policy.portMapping === true ? parts.endpoint.sockets : [],
      onChange: () => this.#guard(() => this.#sessions.portsMapped(this.#place)),
      onFault: parts.onFault,
    });
    this.#introductions = new Introductions(parts.link, parts.people, parts.policy.requireVerified);
    this.#doorway = new Doorway(parts, parts.people, parts.policy.requireVerified, {
      onCaller: (caller) => this.#called(caller),
      onChangedKey: (name) => this.#listening?.onChangedKey?.(name),
    });
    parts.link.onMessage = (message) => this.#guard(() => this.#heard(message));
    parts.link.onState = (up) => this.#guard(() => this.#lineChanged(up));
    parts.switchboard.onUnknown = (message) => message.kind === "incoming" && this.#doorway.rung(message);
    void this.#network.start();
  }

  get name(): string {
    return this.#parts.link.me.name;
  }

  get server(): string {
    const { host, port } = this.#parts.link.node;
    return formatHostPort(host, port);
  }

  /** 32 hex characters. */
  get deviceId(): string {
    return toHex(this.#parts.link.me.deviceId);
  }

  /** How the network here is, as far as is known by now; nothing where no address may be told. */
  get report(): NetworkReport {
    return this.#parts.policy.relayOnly ? hiddenReport : ownReport(this.#view);
  }

  get people(): People {
    return this.#parts.people;
  }

  async ask(person: string, asking: Asking): Promise<PeerSession> {
    this.#mapping.start();
    const name = person === SELF ? this.name : person;
    const { target, established } = await this.#ring(name, asking, this.#ownDeviceIfSelf(person));
    await this.#met(target, established);
    return this.#open(established, this.#parts.policy.relayOnly);
  }

  async listen(listening: Listening): Promise<void> {
    this.#listening = listening;
    this.#mapping.start();
    this.#doorway.open(listening);
    this.#tellPresence();
  }

  /** Asks the server. @throws UserError what it refused */
  request(message: Request): Promise<Answer> {
    return this.#parts.link.request(message);
  }

  async users(): Promise<readonly Presence[]> {
    const everybody: Presence[] = [];
    for (let more = true; more;) {
      const after = everybody.at(-1)?.name ?? "";
      const answer = await this.#parts.link.request({ kind: "listPeople", after, limit: 500 });
      if (answer.kind !== "people") throw unexpected(answer.kind);
      everybody.push(...answer.people);
      more = answer.more && answer.people.length > 0;
    }
    return everybody.filter(({ name }) => name !== this.name);
  }

  watchUsers(onChange: (changes: readonly Presence[]) => void): void {
    this.#onUsers = onChange;
    this.#parts.link.tell({ kind: "watch", names: [], everyone: true });
  }

  onServer(handler: (up: boolean) => void): void {
    this.#onServer = handler;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sessions.closeAll();
    await Promise.all([this.#parts.qlog?.close(), this.#mapping[Symbol.asyncDispose]()]);
    this.#network[Symbol.dispose]();
    this.#parts.link.close();
  }

  /**
   * Their ring and ours may cross; then the server says whose stands. From the first look-up on: to answer theirs and then ring would be
   * two sessions.
   */
  async #ring(
    name: string,
    asking: Asking,
    exceptDevice: Uint8Array | null,
  ): Promise<{ target: Target; established: Established }> {
    const crossing = Promise.withResolvers<Caller>();
    if (asking.purpose === "chat") this.#crossing.set(name, crossing);
    try {
      const target = await this.#introductions.targetOf(name, exceptDevice);
      const established = (await ask(this.#parts, target, asking)) ?? (await this.#acceptCrossing(name, crossing));
      return { target, established };
    } finally {
      if (this.#crossing.get(name) === crossing) this.#crossing.delete(name);
      // Not needed after all: it is a ring like any other.
      crossing.promise.then((caller) => caller.ring.isOpen && this.#offer(caller)).catch(() => undefined);
    }
  }

  async #acceptCrossing(name: string, crossing: PromiseWithResolvers<Caller>): Promise<Established> {
    const late = setTimeout(() => crossing.reject(gone(name)), CROSSING_TIMEOUT_MS);
    const caller = await crossing.promise.finally(() => clearTimeout(late));
    return caller.ring.accept(this.#parts.policy.relayOnly);
  }

  #called(caller: Caller): void {
    const { name } = caller.ring.message;
    const crossing = caller.purpose === "chat" ? this.#crossing.get(name) : undefined;
    // A second one crosses nothing any more.
    if (crossing !== undefined && this.#crossing.delete(name)) crossing.resolve(caller);
    else if (caller.purpose === "ping") this.#answerPing(caller);
    else this.#offer(caller);
  }

  #offer({ ring, purpose, trust }: Caller): void {
    const { greeting, offer } = ring.preview;
    const incoming: Incoming = {
      session: ring.id,
      from: ring.message.name,
      purpose,
      trust,
      greeting,
      offer,
      accept: () => this.#accept(ring, this.#parts.policy.relayOnly),
      decline: (code) => ring.decline(code),
      withdrawn: ring.withdrawn,
    };
    this.#listening?.onIncoming(incoming);
  }

  /** Contacts by themselves; a stranger's ping goes over the server only and is shown no address. */
  #answerPing(caller: Caller): void {
    const isStranger = caller.trust === "none";
    const isHidden = isStranger || this.#parts.policy.relayOnly;
    const accept = (): Promise<PeerSession> => this.#accept(caller.ring, isHidden, !isStranger);
    void this.#pings.answer(caller, accept, isHidden ? null : () => this.report);
  }

  async #accept(ring: Caller["ring"], relayOnly: boolean, pins = true): Promise<LiveSession> {
    const { name, device } = ring.message;
    const established = await ring.accept(relayOnly);
    if (pins) await this.#met({ name, devices: [device] }, established);
    return this.#open(established, relayOnly);
  }

  /** @throws UserError `peer-key-changed`, or `config` when it cannot be remembered: then there is no session */
  async #met(target: Pick<Target, "name" | "devices">, established: Established): Promise<void> {
    try {
      await this.#introductions.met(target, established);
    } catch (error) {
      established.abandon();
      throw error;
    }
  }

  async #open(established: Established, relayOnly: boolean): Promise<LiveSession> {
    const { own, endpoint, qlog = null, onFault } = this.#parts;
    if (!relayOnly) await this.#network.ready();
    const place = relayOnly ? null : this.#place;
    const directWithinMs = this.#directWithinMs();
    const standing = () => ownStanding(this.#view);
    const onDoubt = () => this.#parts.link.networkChanged();
    const options = { own, endpoint, server: this.server, place, standing, directWithinMs, qlog, onFault, onDoubt };
    const session = await this.#sessions.open(established, options);
    await session.ready().catch((error: unknown) => {
      throw this.#parts.policy.directOnly ? error : withoutRelay(error);
    });
    return session;
  }

  get #view(): NetworkView {
    const { sockets, reflexive, servers, unanswered, mapping } = this.#parts.endpoint;
    return { sockets, reflexive, servers, unanswered, mapping, mappers: this.#mapping.mappers };
  }

  get #place(): Place {
    return placeOf(this.#parts.endpoint, this.#mapping.mapped);
  }

  /** Null where user data may go over the server. */
  #directWithinMs(): number | null {
    if (this.#parts.policy.directOnly) return DIRECT_ONLY_MS;
    return this.#parts.link.me.relays ? null : NO_RELAY_MS;
  }

  /** What gateways had mapped holds on the network that was left. */
  #movedHere(): void {
    this.#sessions.moved(placeOf(this.#parts.endpoint));
    this.#mapping.refresh();
  }

  #heard(message: SignallingMessage): void {
    if (message.kind === "presence") this.#onUsers?.(message.changes.filter(({ name }) => name !== this.name));
    else this.#parts.switchboard.handle(message);
  }

  #lineChanged(isUp: boolean): void {
    // Before anything is said in a session: the server knows it by its name again.
    if (isUp) this.#tellPresence();
    else this.#parts.switchboard.lost();
    this.#sessions.setServerUp(isUp);
    if (isUp) {
      void this.#network.start();
      // The router may have restarted.
      this.#mapping.refresh();
      if (this.#onUsers !== null) this.watchUsers(this.#onUsers);
    }
    this.#onServer(isUp);
  }

  /**
   * What came from the network must not end the program, whatever it meets here. But what the person can mend, such as pins that cannot
   * be read, ends this node in order: without them everybody would be a stranger, and strangers are trusted at first sight.
   */
  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      if (error instanceof UserError) this.#failed.reject(error);
      else this.#parts.onFault(error);
    }
  }

  /** Sessions are named even where nothing is answered, so that the server can pair them again. */
  #tellPresence(): void {
    const { answers = [], people = [], rank = "unattended" } = this.#listening ?? {};
    const bits = answers.reduce((sum, purpose) => sum | purposes[purpose], answers.length > 0 ? purposes.ping : 0);
    const sessions = this.#sessions.live;
    if (bits === 0 && sessions.length === 0) return;
    this.#parts.link.tell({ kind: "answer", answers: bits, people, rank: ranks[rank], sessions });
  }

  #ownDeviceIfSelf(person: string): Uint8Array | null {
    return person === SELF || person === this.name ? this.#parts.link.me.deviceId : null;
  }
}

function gone(name: string): UserError {
  return new UserError("peer-gone", `cannot reach ${name}: they went away`, { side: "remote", hint: "try again" });
}

/** It is the server that lets no words go over it, and whoever asked should know. */
function withoutRelay(error: unknown): unknown {
  if (!(error instanceof UserError) || error.code !== "no-path") return error;
  const { code, message, hint, side } = error;
  return new UserError(code, `${message}, and this server does not relay`, {
    side,
    ...(hint !== undefined && { hint }),
  });
}
