import { createLog } from "../../../../src/modes/runtime/log.ts";
import { ChannelSocket } from "../../../../src/modes/server/channel-socket.ts";
import { assembleServices, type Services, type ServicesOptions } from "../../../../src/modes/server/services.ts";
import type { WebSocketPort } from "../../../../src/modes/server/web-socket-port.ts";
import { MemoryAttempts } from "../../../../src/store/memory/attempts.ts";
import { MemoryBus } from "../../../../src/store/memory/bus.ts";
import { MemoryPresenceStore } from "../../../../src/store/memory/presence-store.ts";
import { MemoryRateBuckets } from "../../../../src/store/memory/rate-buckets.ts";
import { openAccountStore } from "../../../../src/store/open.ts";
import type { Random } from "../../../../src/wire/core.ts";
import { CHANNEL_SUBPROTOCOL } from "../../../../src/wire/limits.ts";
import type { SignallingMessage } from "../../../../src/wire/messages/signalling.ts";
import { KeyPair, SigningKeyPair } from "../../../../src/wire/noise/primitives.ts";
import { ChannelClient } from "../../../../src/wire/rendezvous/channel.ts";
import type { Answer, Request } from "../../../../src/wire/rendezvous/peer-end.ts";
import { seededRandom } from "../../../support/bytes.ts";
import { ManualClock } from "./manual-clock.ts";

/** Argon2id of no password: people of these tests come with their device. */
const NO_PASSWORD = `$argon2id$v=19$m=19456,t=2,p=1$${"A".repeat(43)}$${"A".repeat(43)}`;

/** All of the server but its sockets, with a clock of the test's own. */
export class House implements AsyncDisposable {
  readonly clock: ManualClock;
  readonly options: ServicesOptions;
  readonly services: Services;
  readonly logged: readonly string[];
  readonly #seed = seededRandom("house");

  private constructor(options: ServicesOptions, clock: ManualClock, services: Services, logged: readonly string[]) {
    this.options = options;
    this.clock = clock;
    this.services = services;
    this.logged = logged;
  }

  static async open(
    changes: Partial<Omit<ServicesOptions, "clock">> = {},
    clock = new ManualClock(),
    seed = "server",
  ): Promise<House> {
    const random = seededRandom(seed);
    const logged: string[] = [];
    const write = (line: string) => void logged.push(line);
    const options: ServicesOptions = {
      store: await openAccountStore("memory:"),
      presence: new MemoryPresenceStore(),
      bus: new MemoryBus(),
      buckets: new MemoryRateBuckets(() => clock.now()),
      attempts: new MemoryAttempts(() => clock.now()),
      keys: { channel: KeyPair.generate(random), signing: SigningKeyPair.generate(random) },
      openRegistration: false,
      relays: true,
      clock,
      random,
      log: createLog({ level: "debug", json: true, write, now: () => clock.now(), wallClock: () => clock.unixMs() }),
      onRevoked: () => undefined,
      ...changes,
    };
    const services = await assembleServices(options, { ports: [7_420, 7_421], ownAddresses: [] });
    return new House(options, clock, services, logged);
  }

  /** How many pairings stand here. */
  get pairings(): number {
    return this.services.hub.pairings.size;
  }

  /** How many channels are signed in here. */
  get channels(): number {
    return this.services.members.size;
  }

  /** Resolves when what was said before was dealt with: the stores in memory answer within the turn. */
  async settled(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  get random(): Random {
    return this.#seed;
  }

  get serverKey(): Uint8Array {
    return this.options.keys.channel.publicKey;
  }

  /** An account with one device. */
  async enrol(name: string, keys = KeyPair.generate(this.#seed)): Promise<KeyPair> {
    const { store } = this.options;
    const known = await store.accounts.find(name);
    const userId = known?.userId ?? this.#seed(16);
    const createdAtMs = this.clock.unixMs();
    if (known === null) await store.accounts.create({ userId, name, passwordHash: NO_PASSWORD, createdAtMs }, "open");
    const signKey = SigningKeyPair.generate(this.#seed).publicKey;
    const device = { deviceId: this.#seed(16), userId, key: keys.publicKey, signKey, label: `${name}'s`, createdAtMs };
    await store.devices.enrol({ ...device, deviceList: new Uint8Array() });
    return keys;
  }

  /** A channel up to the end of its handshake. */
  connect(keys = KeyPair.generate(this.#seed), ip = "192.0.2.1", settled = () => this.settled()): LocalPeer {
    return new LocalPeer(this, keys, ip, settled);
  }

  /** Somebody signed in, on a device of its own. */
  async member(name: string): Promise<LocalPeer> {
    const peer = this.connect(await this.enrol(name));
    await peer.signIn();
    return peer;
  }

  /** A member that answers everything, for anybody. */
  async present(name: string, rank = 1): Promise<LocalPeer> {
    const peer = await this.member(name);
    peer.tell({ kind: "answer", answers: 15, people: [], rank, sessions: [] });
    await peer.settled();
    return peer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.options.presence[Symbol.asyncDispose]();
    await this.options.store[Symbol.asyncDispose]();
  }
}

/** A peer's end whose WebSocket is a function call. */
export class LocalPeer implements WebSocketPort {
  readonly ip: string;
  readonly queuedBytes = 0;
  readonly keys: KeyPair;
  readonly socket: ChannelSocket;
  /** The close code, once the server has closed. */
  closeCode: number | null = null;
  /** Places in the pool of newcomers given back. */
  poolLeft = 0;
  me: (Answer & { kind: "signedIn" }) | null = null;
  /** As they came, sealed. */
  readonly raw: Uint8Array[] = [];
  readonly #client: ChannelClient;
  readonly #answers = new Map<number, (answer: Answer) => void>();
  readonly #heard: SignallingMessage[] = [];
  #request = 0;
  #listening: () => void = () => undefined;
  readonly #settled: () => Promise<void>;

  constructor(house: House, keys: KeyPair, ip: string, settled: () => Promise<void>) {
    this.ip = ip;
    this.#settled = settled;
    this.keys = keys;
    const { random, serverKey, clock } = house;
    const offered = [CHANNEL_SUBPROTOCOL];
    this.#client = new ChannelClient({ keys, serverKey, offered, random, now: clock.now() });
    this.socket = new ChannelSocket(house.services, this, offered, () => void this.poolLeft++);
    this.socket.receive(this.#client.start());
  }

  get deviceId(): Uint8Array {
    return this.me?.deviceId ?? new Uint8Array(16);
  }

  /** What was heard and not taken. */
  get unheard(): readonly SignallingMessage[] {
    return this.#heard;
  }

  send(bytes: Uint8Array): void {
    this.raw.push(bytes);
    const { message } = this.#client.handle(bytes);
    if (message === null) return;
    const answered = "request" in message && message.request > 0 ? this.#answers.get(message.request) : undefined;
    if (answered === undefined || !("request" in message)) this.#heard.push(message);
    else answered(message);
    this.#listening();
  }

  close(code: number): void {
    this.closeCode ??= code;
    this.#listening();
  }

  /** The other end of the WebSocket goes away. */
  leave(): void {
    this.socket.closed();
  }

  tell(message: SignallingMessage): void {
    this.socket.receive(this.#client.seal(message));
  }

  seal(message: SignallingMessage): Uint8Array {
    return this.#client.seal(message);
  }

  /** The handshake has its turn, too. */
  async request(message: Request): Promise<Answer> {
    while (!this.#client.isOpen && this.closeCode === null) await this.settled();
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const request = ++this.#request;
    this.#answers.set(request, resolve);
    this.tell({ ...message, request });
    return promise;
  }

  async signIn(token: string | null = null): Promise<Answer> {
    const answer = await this.request({ kind: "signIn", token });
    if (answer.kind === "signedIn") this.me = answer;
    return answer;
  }

  /** The next message of this kind, those before it thrown away. */
  async hear<Kind extends SignallingMessage["kind"]>(kind: Kind): Promise<SignallingMessage & { kind: Kind }> {
    for (;;) {
      const message = this.#heard.shift();
      if (message?.kind === kind) return message as SignallingMessage & { kind: Kind };
      if (message === undefined) await new Promise<void>((resolve) => (this.#listening = resolve));
    }
  }

  /** Of what waits, the messages of this kind. */
  waiting<Kind extends SignallingMessage["kind"]>(kind: Kind): (SignallingMessage & { kind: Kind })[] {
    return this.#heard.filter((message): message is SignallingMessage & { kind: Kind } => message.kind === kind);
  }

  async settled(): Promise<void> {
    await this.#settled();
  }
}
