import { familyOf, sameAddress, type UdpAddress } from "../../../wire/address.ts";
import { equalBytes, toHex } from "../../../wire/bytes.ts";
import { TXID_BYTES } from "../../../wire/messages/discovery.ts";
import { OpenTicket } from "../../../wire/traversal/inquiry.ts";
import { UdpPort } from "../../runtime/udp-port.ts";
import { systemRandom } from "../own-device.ts";
import type { Ticket } from "../udp-endpoint.ts";
import { until } from "./until.ts";

/** What came of questions to the server, one datagram each, none asked twice. */
export interface UdpProbe {
  readonly asked: number;
  readonly answered: number;
  /** The least. */
  readonly rttMs: number | null;
  /** Whether a datagram to the own outside address comes back in; null where there is none to send to. */
  readonly hairpin: boolean | null;
}

/** Fewer than the server answers in a second. */
const QUESTIONS = 5;
const SEND_EVERY_MS = 100;
const LOOK_EVERY_MS = 20;
/** For an answer that takes long. Milliseconds. */
const PATIENCE_MS = 700;
const KNOCKS = 3;
const KNOCK_BYTES = 24;

/**
 * Asks one UDP port of the server from a socket of its own, and has another socket of this machine knock at where the server sees the first.
 * @param ticket used for nothing else: the server answers ten questions a second under one
 * @throws the system's error when there are no sockets
 */
export async function probeUdp(server: UdpAddress, ticket: Ticket): Promise<UdpProbe> {
  const [questions, knocks] = [new Questions(server, ticket), new Knocks()];
  await using all = new AsyncDisposableStack();
  const open = async (onDatagram: (datagram: Uint8Array, from: UdpAddress) => void): Promise<UdpPort> => {
    const ip = familyOf(server.ip) === 6 ? "::" : "0.0.0.0";
    return all.adopt(await UdpPort.open({ ip, onDatagram, onFault: () => undefined }), (port) => port.close());
  };
  const asking = await open((datagram, from) => void (knocks.heard(datagram) || questions.heard(datagram, from)));
  const knocking = await open(() => undefined);
  await everySoOften(QUESTIONS, () => asking.send(questions.next(), server));
  await until(() => questions.isAnswered, { patienceMs: PATIENCE_MS, everyMs: LOOK_EVERY_MS });
  const { asked, answered, rttMs, seenAt } = questions;
  if (seenAt === null) return { asked, answered, rttMs, hairpin: null };
  await everySoOften(KNOCKS, () => knocking.send(knocks.bytes, seenAt));
  return { asked, answered, rttMs, hairpin: knocks.hasCome };
}

/** Each under a number of its own, so that every answer tells its round trip. */
class Questions {
  asked = 0;
  answered = 0;
  rttMs: number | null = null;
  /** Where the server sees the socket that asks. */
  seenAt: UdpAddress | null = null;
  readonly #server: UdpAddress;
  readonly #ticket: OpenTicket;
  readonly #askedAt = new Map<string, number>();

  constructor(server: UdpAddress, { ticket, key }: Ticket) {
    this.#server = server;
    this.#ticket = new OpenTicket(ticket, key);
  }

  get isAnswered(): boolean {
    return this.answered === this.asked;
  }

  next(): Uint8Array {
    const txid = systemRandom(TXID_BYTES);
    this.asked++;
    this.#askedAt.set(toHex(txid), performance.now());
    return this.#ticket.request(txid);
  }

  heard(datagram: Uint8Array, from: UdpAddress): void {
    const reply = sameAddress(from, this.#server) ? this.#ticket.open(datagram) : null;
    if (reply === null) return;
    const askedAt = this.#askedAt.get(toHex(reply.txid));
    if (askedAt === undefined || !this.#askedAt.delete(toHex(reply.txid))) return;
    this.answered++;
    this.seenAt = reply.address;
    this.rttMs = Math.min(this.rttMs ?? Number.POSITIVE_INFINITY, performance.now() - askedAt);
  }
}

/** What one of our sockets sends to where another is seen. */
class Knocks {
  readonly bytes = systemRandom(KNOCK_BYTES);
  hasCome = false;

  heard(datagram: Uint8Array): boolean {
    const isKnock = equalBytes(datagram, this.bytes);
    this.hasCome ||= isKnock;
    return isKnock;
  }
}

async function everySoOften(times: number, run: () => void): Promise<void> {
  for (let count = 0; count < times; count++) {
    run();
    await Bun.sleep(SEND_EVERY_MS);
  }
}
