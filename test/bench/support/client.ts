import type { SignallingMessage } from "../../../src/wire/messages/signalling.ts";
import { systemRandom } from "../../../src/modes/server/system-random.ts";
import { CHANNEL_SUBPROTOCOL } from "../../../src/wire/limits.ts";
import { signalling } from "../../../src/wire/messages/signalling.ts";
import { ChannelClient } from "../../../src/wire/rendezvous/channel.ts";
import type { Answer, Request } from "../../../src/wire/rendezvous/peer-end.ts";
import type { Resident } from "./residents.ts";
import { LightWebSocket } from "./web-socket.ts";

export interface Place {
  readonly port: number;
  readonly serverKey: Uint8Array;
}

/** Why a channel did not come about, or ended. */
export class Closed extends Error {
  /** When the server wants to be asked again; 0 when it did not say. Milliseconds. */
  readonly retryMs: number;

  constructor(reason: string) {
    super(reason === "" ? "the connection ended" : reason);
    this.retryMs = Number(reason.split(" ")[1] ?? 0) * 1_000;
  }
}

const EMPTY = new Uint8Array();

/** Seals and opens without the table of messages, where a bench knows the bytes. */
class BareChannel extends ChannelClient {
  sealBytes(plain: Uint8Array): Uint8Array {
    return this.#ciphers.send.encryptWithAd(EMPTY, plain);
  }

  openBytes(sealed: Uint8Array): Uint8Array {
    return this.#ciphers.receive.decryptWithAd(EMPTY, sealed);
  }

  get #ciphers() {
    if (this.ciphers === null) throw new Error("the channel is not open yet");
    return this.ciphers;
  }
}

/** The peer's end of one channel with as little around it as can be. */
export class BenchClient {
  readonly resident: Resident;
  /** Of the last sign-in: what lets it back in. */
  token: string | null = null;
  /** What comes unasked. @param plain as it was sealed, where {@link onBytes} does not want it */
  onMessage: (message: SignallingMessage) => void = () => undefined;
  /** Sees what comes unasked first. @returns whether it is dealt with */
  onBytes: (plain: Uint8Array) => boolean = () => false;
  onClosed: (reason: string) => void = () => undefined;
  readonly #place: Place;
  #socket: LightWebSocket | null = null;
  #channel: BareChannel | null = null;
  #opening: PromiseWithResolvers<void> | null = null;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  #request = 0;

  constructor(resident: Resident, place: Place) {
    this.resident = resident;
    this.#place = place;
  }

  /** A channel with its handshake done. @throws Closed */
  async connect(): Promise<void> {
    const opening = Promise.withResolvers<void>();
    const keys = this.resident.keys;
    const offered = [CHANNEL_SUBPROTOCOL];
    const channel = new BareChannel({ keys, serverKey: this.#place.serverKey, offered, random: systemRandom, now: 0 });
    this.#opening = opening;
    this.#channel = channel;
    this.#request = 0;
    const socket: LightWebSocket = new LightWebSocket(this.#place.port, "/v1/channel", {
      opened: () => socket.send(channel.start()),
      message: (bytes) => this.#received(channel, bytes),
      closed: (reason) => this.#closed(channel, reason),
    });
    this.#socket = socket;
    return opening.promise;
  }

  /** By the token of before, or else by the device's key alone. @throws Closed, or Error with what the server answered */
  async signIn(how: Request = { kind: "signIn", token: this.token }): Promise<void> {
    const answer = await this.request(how);
    if (answer.kind === "failed" && answer.retryMs > 0) {
      this.cut();
      throw new Closed(`${answer.code} ${Math.ceil(answer.retryMs / 1_000)}`);
    }
    if (answer.kind !== "signedIn")
      throw new Error(answer.kind === "failed" ? `${answer.code}: ${answer.message}` : answer.kind);
    this.token = answer.token;
  }

  /** @throws Closed */
  async request(message: Request): Promise<Answer> {
    const request = ++this.#request;
    const answer = Promise.withResolvers<Answer>();
    this.#waiting.set(request, answer);
    this.tell({ ...message, request });
    return answer.promise;
  }

  tell(message: SignallingMessage): void {
    this.tellBytes(signalling.encode(message));
  }

  /** @param plain an encoded message */
  tellBytes(plain: Uint8Array): void {
    if (this.#channel !== null) this.#socket?.send(this.#channel.sealBytes(plain));
  }

  /** Bytes that wait to be sent. */
  get queuedBytes(): number {
    return this.#socket?.queuedBytes ?? 0;
  }

  cut(): void {
    this.#socket?.cut();
  }

  #received(channel: BareChannel, bytes: Uint8Array): void {
    if (!channel.isOpen) {
      channel.handle(bytes);
      this.#opening?.resolve();
      return;
    }
    const plain = channel.openBytes(bytes);
    if (this.onBytes(plain)) return;
    const message = signalling.decode(plain);
    const waiting = "request" in message ? this.#waiting.get(message.request) : undefined;
    if (waiting === undefined || !("request" in message)) return this.onMessage(message);
    this.#waiting.delete(message.request);
    waiting.resolve(message);
  }

  #closed(channel: BareChannel, reason: string): void {
    if (this.#channel !== channel) return;
    this.#channel = null;
    this.#opening?.reject(new Closed(reason));
    for (const { reject } of this.#waiting.values()) reject(new Closed(reason));
    this.#waiting.clear();
    this.onClosed(reason);
  }
}
