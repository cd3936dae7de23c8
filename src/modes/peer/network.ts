import { InterfaceWatch } from "./interfaces.ts";
import { ipsOfNode } from "./node-ips.ts";
import { renewalDelayMs, type ServerLink } from "./server-link.ts";
import type { Ticket, UdpEndpoint } from "./udp-endpoint.ts";

/** For the way to the server and back. Milliseconds. */
const READY_TIMEOUT_MS = 1_000;

/** The program's UDP sockets, and the server's eye on them for as long as the line to it is up. */
export class Network implements Disposable {
  readonly endpoint: UdpEndpoint;
  readonly #link: ServerLink;
  #renewal: Timer | undefined;
  #isClosed = false;
  #started: Promise<void> = Promise.resolve();
  readonly #watch: InterfaceWatch;

  /**
   * @param endpoint without sockets when no address of ours may be told
   * @param onMoved the machine is on another network; it may not throw
   */
  constructor(endpoint: UdpEndpoint, link: ServerLink, onMoved: () => void) {
    this.endpoint = endpoint;
    this.#link = link;
    this.#watch = new InterfaceWatch({
      // The sessions first: a line that is dead would keep them waiting for the ticket.
      onChange: () => {
        onMoved();
        link.networkChanged();
        void this.start();
      },
    });
  }

  /** After each sign-in. Without a ticket there is no reflexive address, and the other end's checks may still come through. */
  start(): Promise<void> {
    this.#started = this.#gather();
    return this.#started;
  }

  /** Resolves when the server is being asked, or after a moment when that takes long. */
  async ready(): Promise<void> {
    await Promise.race([this.#started, Bun.sleep(READY_TIMEOUT_MS)]);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#watch[Symbol.dispose]();
    clearTimeout(this.#renewal);
    this.endpoint[Symbol.dispose]();
  }

  async #gather(): Promise<void> {
    if (this.endpoint.sockets.length === 0) return;
    const ticket = await this.#fetchTicket();
    if (ticket === null || this.#isClosed) return;
    const ips = await ipsOfNode(ticket.node, this.#link.node).catch(() => null);
    if (ips !== null && !this.#isClosed) this.endpoint.gather(ips, ticket);
  }

  async #fetchTicket(): Promise<Ticket | null> {
    const answer = await this.#link.request({ kind: "getTicket" }).catch(() => null);
    if (answer?.kind !== "ticket" || this.#isClosed) return null;
    // Another may have been asked for meanwhile.
    clearTimeout(this.#renewal);
    this.#renewal = setTimeout(() => void this.#renew(), renewalDelayMs(answer.lifetimeMs));
    return answer;
  }

  async #renew(): Promise<void> {
    const ticket = await this.#fetchTicket();
    if (ticket !== null) this.endpoint.renewTicket(ticket);
  }
}
