import { equalBytes } from "../../wire/bytes.ts";
import { isErrorCode, type ErrorCode, WireError } from "../../wire/errors.ts";
import { purposes, type DeviceRecord } from "../../wire/messages/signalling.ts";
import { handshakePacket } from "../../wire/packet/header.ts";
import { sealPreview } from "../../wire/rendezvous/preview.ts";
import { answerHandshake, OWN_VERSIONS, type SessionTerms } from "../../wire/rendezvous/session-handshake.ts";
import { UserError } from "../cli/errors.ts";
import { EarlyNews, type Established } from "./established.ts";
import { introductionOf, type OwnDevice, randomIndex, systemRandom } from "./own-device.ts";
import type { Asking } from "./peer-node.ts";
import type { ServerLink } from "./server-link.ts";
import { ServerRoute } from "./server-route.ts";
import type { SessionMessage, Switchboard } from "./switchboard.ts";

/** Whom to ring: a person's devices that may be rung. */
export interface Target {
  readonly name: string;
  readonly userId: Uint8Array;
  /** At least one. */
  readonly devices: readonly DeviceRecord[];
}

export interface Exchange {
  readonly link: ServerLink;
  readonly switchboard: Switchboard;
  readonly own: OwnDevice;
}

/**
 * Rings a person and waits for one of the devices to accept. PROTOCOL.md §6.
 * @returns null when the other rang at the same time and that ring stands: it is the answer
 * @throws UserError what came of it instead
 */
export async function ask(exchange: Exchange, target: Target, asking: Asking): Promise<Established | null> {
  const ring = new Ring(exchange, target, asking);
  const timer = setTimeout(() => ring.giveUp("no-answer"), asking.waitMs);
  const abort = () => ring.giveUp("interrupted");
  asking.signal?.addEventListener("abort", abort, { once: true });
  try {
    asking.signal?.throwIfAborted();
    ring.start();
    return await ring.outcome;
  } finally {
    clearTimeout(timer);
    asking.signal?.removeEventListener("abort", abort);
  }
}

class Ring {
  readonly outcome: Promise<Established | null>;
  readonly #outcome = Promise.withResolvers<Established | null>();
  readonly #exchange: Exchange;
  readonly #target: Target;
  readonly #asking: Asking;
  readonly #session = systemRandom(16);
  readonly #secret = systemRandom(32);
  readonly #localIndex = randomIndex();
  readonly #route: ServerRoute;
  readonly #early = new EarlyNews();
  readonly #sink = (message: SessionMessage) => this.#handle(message);
  /** From here on everything is the session's business. */
  #isAgreed = false;

  constructor(exchange: Exchange, target: Target, asking: Asking) {
    this.outcome = this.#outcome.promise;
    this.#asking = asking;
    this.#exchange = exchange;
    this.#target = target;
    this.#route = new ServerRoute(exchange.link, this.#session);
  }

  start(): void {
    const { link, switchboard } = this.#exchange;
    switchboard.connect(this.#session, this.#sink, () => this.#lineLost());
    const purpose = purposes[this.#asking.purpose];
    try {
      const previews = this.#target.devices.map(({ id, key }) => ({ device: id, sealed: this.#preview(key) }));
      link.tell({ kind: "ring", session: this.#session, name: this.#target.name, purpose, previews });
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#fail(mistrusted(this.#target.name, "what the server gives as their key is none", error));
    }
  }

  giveUp(code: ErrorCode): void {
    this.#exchange.link.tell({ kind: "cancel", session: this.#session, code: "cancelled" });
    this.#fail(refusalOf(code, this.#target.name, 0));
  }

  #preview(remote: Uint8Array): Uint8Array {
    const { own } = this.#exchange;
    const { purpose, greeting = "", offer = null } = this.#asking;
    return sealPreview(
      { session: this.#session, keys: own.identity.keys, remote, random: systemRandom },
      {
        ...introductionOf(own, this.#localIndex),
        versions: OWN_VERSIONS,
        purpose: purposes[purpose],
        secret: this.#secret,
        greeting,
        offer,
      },
    );
  }

  #handle(message: SessionMessage): void {
    if (message.kind === "forward") this.#route.received(message.body);
    else if (this.#isAgreed) this.#early.note(message);
    else if (message.kind === "ringing") this.#asking.onRinging?.();
    else if (message.kind === "accepted") this.#accepted(message);
    else if (message.kind === "refused") this.#refused(message.code, message.retryMs);
    else if (message.kind === "gone") this.#refused("peer-gone", 0);
    else this.#early.note(message);
  }

  #refused(code: string, retryMs: number): void {
    if (code === "answered-elsewhere") return this.#settle(null);
    this.#fail(refusalOf(isErrorCode(code) ? code : "peer-gone", this.#target.name, retryMs));
  }

  #accepted({ device: id, versions, handshake }: SessionMessage & { kind: "accepted" }): void {
    const device = this.#target.devices.find((each) => equalBytes(each.id, id));
    try {
      if (device === undefined) throw new WireError("protocol-error", "accepted by a device that was not rung");
      const established = this.#agree(device, versions, handshake);
      this.#isAgreed = true;
      this.#settle(established);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#hangUp();
      this.#fail(mistrusted(this.#target.name, "the answer does not come from the device that was asked", error));
    }
  }

  #agree(device: DeviceRecord, accepterVersions: Uint8Array, handshake: Uint8Array): Established {
    const { own } = this.#exchange;
    const terms: SessionTerms = {
      session: this.#session,
      askerVersions: OWN_VERSIONS,
      accepterVersions,
      asker: own,
      accepter: { userId: this.#target.userId, deviceId: device.id },
      secret: this.#secret,
    };
    const introduction = introductionOf(own, this.#localIndex);
    const end = { terms, keys: own.identity.keys, remote: device.key, random: systemRandom, introduction };
    const { answer, agreed } = answerHandshake(end, handshake);
    if (!equalBytes(agreed.introduction.signKey, device.signKey))
      throw new WireError("protocol-error", "another sign key");
    this.#route.send(handshakePacket(answer));
    this.#route.foresee();
    return {
      name: this.#target.name,
      terms,
      agreed,
      isInitiator: false,
      localIndex: this.#localIndex,
      device,
      route: this.#route,
      early: this.#early,
      abandon: () => {
        this.#hangUp();
        this.#leave();
      },
    };
  }

  #settle(established: Established | null): void {
    // The sink stays for the session, which takes its place.
    if (established === null) this.#leave();
    this.#outcome.resolve(established);
  }

  /** The server forgets the ring with it. */
  #lineLost(): void {
    if (this.#isAgreed) return;
    const message = `cannot reach ${this.#target.name}: the line to the server broke`;
    this.#fail(new UserError("server-unreachable", message, { side: "server", hint: "try again in a moment" }));
  }

  #hangUp(): void {
    this.#exchange.link.tell({ kind: "hangUp", session: this.#session, path: "" });
  }

  #fail(error: unknown): void {
    this.#leave();
    this.#outcome.reject(error);
  }

  #leave(): void {
    this.#exchange.switchboard.disconnect(this.#session, this.#sink);
    this.#route.close();
  }
}

/** The server, or who sits between, did not say the truth. */
function mistrusted(name: string, state: string, cause: WireError): UserError {
  const hint = "try again; if it stays so, the server is not to be trusted";
  return new UserError("peer-gone", `cannot connect to ${name}: ${state}`, { side: "server", hint, cause });
}

/** What a refused ring means to the person who rang. */
function refusalOf(code: ErrorCode, name: string, retryMs: number): UserError {
  const [message, hint] = refusals[code] ?? [`the call was refused: ${code}`, "try again"];
  const wait = retryMs > 0 ? `try again in ${Math.ceil(retryMs / 1_000)} s` : hint;
  const side = code === "interrupted" ? "local" : code === "limited" || code === "busy" ? "server" : "remote";
  return new UserError(code, `cannot reach ${name}: ${message}`, { side, hint: wait });
}

const refusals: Readonly<Partial<Record<ErrorCode, readonly [string, string]>>> = {
  "no-such-person": ["the server knows nobody of that name", "check the name with `p2p users`"],
  offline: ["they are offline", "try again when `p2p users` shows them online"],
  "no-answer": [
    "they are online, but nobody answered",
    "ask them to run `p2p peer` or `p2p receive`, or try again later",
  ],
  declined: ["they declined", "ask them by other means first"],
  "peer-gone": ["they went away", "try again"],
  busy: ["the server is busy", "try again in a moment"],
  limited: ["too many calls", "wait a minute"],
  interrupted: ["interrupted", "try again"],
};
