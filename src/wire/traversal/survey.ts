import { sameAddress, type UdpAddress } from "../address.ts";
import { Inquiry, type Schedule, type SocketRoute } from "./inquiry.ts";
import type { Asking } from "./server-lane.ts";

interface Asked {
  readonly socket: number;
  readonly inquiry: Inquiry;
  address: UdpAddress | null;
}

/** Between one socket's first question and the next one's: so short that few others take a port in between. Milliseconds. */
const GAP_MS = 5;
/** A mapping tells how ports are given out now, not in a second. */
const SOON: Schedule = { askAtMs: [0, 100, 200], giveUpAtMs: 500 };

/** One question to one port of the server from each of several new sockets, one after the other: which ports does the NAT give them? */
export class Survey {
  /** The very list that was given. */
  readonly sockets: readonly number[];
  readonly #remote: UdpAddress;
  readonly #asked: readonly Asked[];
  readonly #giveUpAt: number;

  constructor(now: number, sockets: readonly number[], remote: UdpAddress, asking: Asking) {
    this.sockets = sockets;
    this.#remote = remote;
    this.#asked = sockets.map((socket, index) => ({
      socket,
      inquiry: new Inquiry(now + GAP_MS * index, asking.ticket, asking.newTxid(), SOON),
      address: null,
    }));
    this.#giveUpAt = now + GAP_MS * (sockets.length - 1) + SOON.giveUpAtMs;
  }

  /** In the order of the sockets; null where no answer came. */
  get addresses(): readonly (UdpAddress | null)[] {
    return this.#asked.map(({ address }) => address);
  }

  /** When there is something to do. */
  dueAt(): number {
    const questions = this.#open().filter(({ inquiry }) => inquiry.isAsking);
    return Math.min(this.#giveUpAt, ...questions.map(({ inquiry }) => inquiry.dueAt));
  }

  isOver(now: number): boolean {
    return now >= this.#giveUpAt || this.#open().length === 0;
  }

  /** A question that is due. */
  poll(now: number): (SocketRoute & { readonly bytes: Uint8Array }) | null {
    for (const { socket, inquiry } of this.#open()) {
      const bytes = inquiry.ask(now);
      if (bytes !== null) return { socket, remote: this.#remote, bytes };
    }
    return null;
  }

  receive({ socket, remote }: SocketRoute, datagram: Uint8Array): void {
    if (!sameAddress(remote, this.#remote)) return;
    const asked = this.#open().find((each) => each.socket === socket);
    const reply = asked?.inquiry.answer(datagram) ?? null;
    if (asked !== undefined && reply !== null) asked.address = reply.address;
  }

  #open(): readonly Asked[] {
    return this.#asked.filter(({ address }) => address === null);
  }
}
