import { formatIp } from "../../wire/address.ts";
import { WireError } from "../../wire/errors.ts";
import type { Established } from "./established.ts";
import { LiveSession, type LiveSessionOptions } from "./live-session.ts";
import type { Place } from "./place.ts";
import type { ServerLink } from "./server-link.ts";
import type { SessionMessage, Switchboard } from "./switchboard.ts";

/** How long the other end may take to prove its keys. Milliseconds. */
const CONNECT_TIMEOUT_MS = 15_000;

export interface LiveSince {
  readonly session: Uint8Array;
  readonly peerKey: Uint8Array;
}

/** The sessions that live in this program. */
export class SessionBook {
  readonly #link: ServerLink;
  readonly #switchboard: Switchboard;
  readonly #live = new Map<LiveSession, LiveSince>();

  constructor(link: ServerLink, switchboard: Switchboard) {
    this.#link = link;
    this.#switchboard = switchboard;
  }

  /**
   * What to name to the server when a channel signs in again. Not what shows no address: a server that has restarted has forgotten
   * that, and would tell the other end where this one is seen.
   */
  get live(): readonly LiveSince[] {
    return this.#live
      .entries()
      .flatMap(([session, since]) => (session.isHidden ? [] : [since]))
      .toArray();
  }

  /**
   * Makes the session of two devices that agreed. Who asked has read what the other end's keys made of a secret that only they could read,
   * and may speak at once, to them alone; who accepted waits until the other end has proven its keys as well. @throws UserError
   */
  async open(established: Established, options: LiveSessionOptions): Promise<LiveSession> {
    const session = new LiveSession(established, options);
    this.#enter(session, established);
    const timer = setTimeout(() => session.abort("peer-gone", "they did not answer"), CONNECT_TIMEOUT_MS);
    const connected = session.connected.finally(() => clearTimeout(timer));
    if (established.isInitiator) await connected;
    else connected.catch(() => undefined); // told as the session's end
    return session;
  }

  /** The line to the server came or went. */
  setServerUp(isUp: boolean): void {
    for (const session of this.#live.keys()) session.setServerRoute(isUp);
  }

  /** This machine is on another network. */
  moved(place: Place): void {
    for (const session of this.#live.keys()) session.moved(place);
  }

  /** Gateways let others reach us at other addresses now. */
  portsMapped(place: Place): void {
    for (const session of this.#live.keys()) session.portsMapped(place);
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#live.keys()].map((session) => session.close()));
  }

  #enter(session: LiveSession, { terms, device, route, early }: Established): void {
    const id = terms.session;
    const sink = (message: SessionMessage): void => {
      if (message.kind === "forward") route.received(message.body);
      else if (message.kind === "observed") session.observed(addressesOf(message));
      else if (message.kind === "limited") session.relayLimited(message.bytesPerSecond);
      else if (message.kind === "gone" && message.code === "offline") session.serverLost();
      else if (message.kind === "gone") session.serverGone();
    };
    this.#live.set(session, { session: id, peerKey: device.key });
    this.#switchboard.connect(id, sink);
    early.tell(sink);
    void session.ended.then(() => {
      this.#live.delete(session);
      this.#switchboard.disconnect(id, sink);
      this.#link.tell({ kind: "hangUp", session: id, path: session.path.kind });
    });
  }
}

function addressesOf({ addresses }: SessionMessage & { kind: "observed" }) {
  return addresses.flatMap(({ address, port }) => {
    try {
      return [{ ip: formatIp(address), port }];
    } catch (error) {
      if (error instanceof WireError) return [];
      throw error;
    }
  });
}
