import { equalBytes, toHex } from "../../wire/bytes.ts";
import { isErrorCode, type ErrorCode, WireError } from "../../wire/errors.ts";
import type { Preview } from "../../wire/messages/preview.ts";
import { typeAt, HEAD_BYTES, packetType } from "../../wire/packet/header.ts";
import { splitByLength } from "../../wire/packet/split.ts";
import { openPreview } from "../../wire/rendezvous/preview.ts";
import {
  OWN_VERSIONS,
  startHandshake,
  type Agreed,
  type SessionTerms,
} from "../../wire/rendezvous/session-handshake.ts";
import { UserError } from "../cli/errors.ts";
import type { Exchange } from "./asking.ts";
import { EarlyNews, type Established } from "./established.ts";
import { introductionOf, randomIndex, systemRandom } from "./own-device.ts";
import { ServerRoute } from "./server-route.ts";
import type { SessionMessage } from "./switchboard.ts";

export type IncomingMessage = SessionMessage & { readonly kind: "incoming" };

/** How long the asker may take to answer an accept with its half of the handshake. Milliseconds. */
const HANDSHAKE_TIMEOUT_MS = 15_000;

/** A ring at this device, whose preview opened: from the device the server names, for this session. */
export class IncomingRing {
  readonly id: string;
  readonly preview: Preview;
  readonly message: IncomingMessage;
  /** Resolves when the asker gave up or another device answered. */
  readonly withdrawn: Promise<ErrorCode>;
  readonly #withdrawn = Promise.withResolvers<ErrorCode>();
  readonly #exchange: Exchange;
  readonly #route: ServerRoute;
  readonly #early = new EarlyNews();
  readonly #sink = (message: SessionMessage) => this.#handle(message);
  #isOpen = true;
  /** From here on everything is the session's business. */
  #isAgreed = false;

  /** @throws WireError when the preview is not what it claims to be: then nobody is to be asked anything */
  constructor(exchange: Exchange, message: IncomingMessage) {
    const { device, session } = message;
    const keys = exchange.own.identity.keys;
    this.preview = openPreview({ session, keys, remote: device.key, random: systemRandom }, message.preview);
    if (!equalBytes(this.preview.signKey, device.signKey)) throw new WireError("protocol-error", "another sign key");
    // What needs no question for one purpose may need one for another.
    if (this.preview.purpose !== message.purpose) throw new WireError("protocol-error", "another purpose");
    this.id = toHex(session);
    this.message = message;
    this.withdrawn = this.#withdrawn.promise;
    this.#exchange = exchange;
    this.#route = new ServerRoute(exchange.link, session);
    exchange.switchboard.connect(session, this.#sink, () => this.#withdraw("cancelled"));
  }

  /** Neither answered nor withdrawn. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  decline(code: ErrorCode): void {
    this.#exchange.link.tell({ kind: "decline", session: this.message.session, code });
    this.#leave();
  }

  /**
   * @param isHidden the asker is not to be told where this end is seen
   * @throws UserError when the asker is gone by now
   */
  async accept(isHidden: boolean): Promise<Established> {
    if (!this.#isOpen) throw gone(this.message.name);
    this.#isOpen = false;
    const localIndex = randomIndex();
    const { message, complete } = startHandshake(this.#end(localIndex));
    const answer = this.#answer(complete);
    const { session, device, name } = this.message;
    this.#exchange.link.tell({ kind: "accept", session, versions: OWN_VERSIONS, handshake: message, hidden: isHidden });
    this.#route.foresee();
    try {
      const agreed = await answer;
      const [route, early, abandon] = [this.#route, this.#early, () => this.#abandon()];
      return { name, terms: this.#terms(), agreed, isInitiator: true, localIndex, device, route, early, abandon };
    } catch (error) {
      this.#abandon();
      throw error;
    }
  }

  /** Or the asker would wait for a session that does not come. */
  #abandon(): void {
    this.#exchange.link.tell({ kind: "hangUp", session: this.message.session, path: "" });
    this.#leave();
  }

  /** The first packet that comes is the asker's half of the handshake; what stands behind it waits for the session. */
  async #answer(complete: (answer: Uint8Array) => Agreed): Promise<Agreed> {
    const answered = Promise.withResolvers<Agreed>();
    const timer = setTimeout(() => answered.reject(gone(this.message.name)), HANDSHAKE_TIMEOUT_MS);
    void this.withdrawn.then((code) => answered.reject(tooLate(this.message.name, code)));
    this.#route.onFirstBody((body) => {
      try {
        const [first] = splitByLength(body);
        if (first === undefined || typeAt(first, 0, first.length) !== packetType.handshake) return null;
        answered.resolve(this.#agreed(complete(first.subarray(HEAD_BYTES))));
        return body.subarray(first.length);
      } catch (error) {
        answered.reject(error instanceof WireError ? forged(this.message.name, error) : error);
        return null;
      }
    });
    return answered.promise.finally(() => clearTimeout(timer));
  }

  /** @throws WireError when the device speaks of another key than it has */
  #agreed(agreed: Agreed): Agreed {
    if (!equalBytes(agreed.introduction.signKey, this.message.device.signKey))
      throw new WireError("protocol-error", "another sign key");
    this.#isAgreed = true;
    return agreed;
  }

  #end(localIndex: number) {
    const { own } = this.#exchange;
    const introduction = introductionOf(own, localIndex);
    return {
      terms: this.#terms(),
      keys: own.identity.keys,
      remote: this.message.device.key,
      random: systemRandom,
      introduction,
    };
  }

  #terms(): SessionTerms {
    return {
      session: this.message.session,
      askerVersions: this.preview.versions,
      accepterVersions: OWN_VERSIONS,
      asker: { userId: this.message.userId, deviceId: this.message.device.id },
      accepter: this.#exchange.own,
      secret: this.preview.secret,
    };
  }

  #handle(message: SessionMessage): void {
    if (message.kind === "forward") return this.#route.received(message.body);
    if (this.#isAgreed || (message.kind !== "cancel" && message.kind !== "gone")) return this.#early.note(message);
    this.#withdraw(isErrorCode(message.code) ? message.code : "cancelled");
  }

  #withdraw(code: ErrorCode): void {
    if (this.#isAgreed) return;
    this.#withdrawn.resolve(code);
    this.#leave();
  }

  #leave(): void {
    this.#isOpen = false;
    this.#exchange.switchboard.disconnect(this.message.session, this.#sink);
    this.#route.close();
  }
}

/** What ended the ring while it was being accepted. */
function tooLate(name: string, code: ErrorCode): UserError {
  if (code !== "answered-elsewhere") return gone(name);
  return new UserError(code, `cannot connect to ${name}: another program of yours was faster`, {
    side: "remote",
    hint: "nothing is lost: that one has them",
  });
}

function gone(name: string): UserError {
  return new UserError("peer-gone", `cannot connect to ${name}: they went away`, {
    side: "remote",
    hint: "ask them to try again",
  });
}

function forged(name: string, cause: WireError): UserError {
  const hint = "ask them to try again; if it stays so, the server is not to be trusted";
  return new UserError("peer-gone", `cannot connect to ${name}: the handshake does not fit`, {
    side: "server",
    hint,
    cause,
  });
}
