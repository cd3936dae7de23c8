import { openAccountStore, openSharedStores } from "../../src/store/open.ts";
import type { AccountStore } from "../../src/store/accounts.ts";
import type { SignallingMessage } from "../../src/wire/messages/signalling.ts";
import { CHANNEL_SUBPROTOCOL } from "../../src/wire/limits.ts";
import { KeyPair, SigningKeyPair } from "../../src/wire/noise/primitives.ts";
import { type Answer, PeerEnd, type Request } from "../../src/wire/rendezvous/peer-end.ts";
import { systemClock } from "../../src/modes/server/clock.ts";
import { makeInvitation } from "../../src/modes/server/invites.ts";
import { type Meeting, type MeetingOptions, openMeeting } from "../../src/modes/server/meeting.ts";
import { systemRandom } from "../../src/modes/server/system-random.ts";
import { Lifecycle } from "../../src/modes/runtime/lifecycle.ts";
import { createLog } from "../../src/modes/runtime/log.ts";

export const PASSWORD = "correct horse battery";

/** A whole server inside this process, on free ports of 127.0.0.1, with accounts in memory. */
export class Stage implements AsyncDisposable {
  readonly meeting: Meeting;
  readonly store: AccountStore;
  readonly serverKey: Uint8Array;
  readonly invite: Uint8Array;
  /** All that was logged, as JSON lines. */
  readonly log: readonly string[];
  readonly #lifecycle: Lifecycle;
  readonly #peers: TestPeer[] = [];

  private constructor(
    meeting: Meeting,
    options: MeetingOptions,
    invite: Uint8Array,
    log: readonly string[],
    lifecycle: Lifecycle,
  ) {
    this.meeting = meeting;
    this.store = options.store;
    this.serverKey = options.keys.channel.publicKey;
    this.invite = invite;
    this.log = log;
    this.#lifecycle = lifecycle;
  }

  static async open(changes: Partial<MeetingOptions> = {}): Promise<Stage> {
    const lines: string[] = [];
    const now = () => performance.now();
    const log = createLog({
      level: "debug",
      json: true,
      write: (line) => void lines.push(line),
      now,
      wallClock: () => Date.now(),
    });
    const clock = systemClock((error) => log.error("timer-defect", { error: String(error) }));
    const lifecycle = new Lifecycle({ log });
    const { presence, bus, buckets, attempts } = await openSharedStores("memory:");
    const options: MeetingOptions = {
      store: await openAccountStore("memory:"),
      presence,
      bus,
      buckets,
      attempts,
      keys: { channel: KeyPair.generate(systemRandom), signing: SigningKeyPair.generate(systemRandom) },
      listen: [{ host: "127.0.0.1", port: 0 }],
      openRegistration: false,
      relays: true,
      clock,
      random: systemRandom,
      log,
      onRevoked: () => undefined,
      ...changes,
    };
    const meeting = await openMeeting(options, lifecycle);
    const invite = await makeInvitation(options.store, { uses: 100, days: 7 }, Date.now(), systemRandom);
    return new Stage(meeting, options, invite, lines, lifecycle);
  }

  get port(): number {
    return this.meeting.listeners[0]?.tcp.port ?? 0;
  }

  get udpPorts(): readonly number[] {
    return this.meeting.listeners.flatMap(({ udp }) => udp.addresses.map(({ port }) => port));
  }

  url(path: string): string {
    return `ws://127.0.0.1:${this.port}${path}`;
  }

  /** A channel with its handshake done, not signed in. */
  async connect(keys = KeyPair.generate(systemRandom)): Promise<TestPeer> {
    const peer = new TestPeer(this.url("/v1/channel"), this.serverKey, keys);
    this.#peers.push(peer);
    await peer.opened;
    return peer;
  }

  /** Somebody new, signed in. */
  async register(name: string): Promise<TestPeer> {
    const peer = await this.connect();
    await peer.register(name, this.invite);
    return peer;
  }

  /** Somebody new who answers everything, for anybody. */
  async present(name: string): Promise<TestPeer> {
    const peer = await this.register(name);
    peer.tell({ kind: "answer", answers: 15, people: [], rank: 1, sessions: [] });
    await peer.settled();
    return peer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.#peers) peer.close();
    await this.#lifecycle.close();
    await this.store[Symbol.asyncDispose]();
  }
}

/** The peer's end as programs have it, over a real WebSocket; what it hears unasked waits in order. */
export class TestPeer {
  readonly keys: KeyPair;
  readonly signing = SigningKeyPair.generate(systemRandom);
  readonly opened: Promise<void>;
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
  readonly socket: WebSocket;
  me: (Answer & { kind: "signedIn" }) | null = null;
  readonly #end: PeerEnd;
  readonly #opening = Promise.withResolvers<void>();
  readonly #answers = new Map<number, (answer: Answer) => void>();
  readonly #heard: SignallingMessage[] = [];
  #listening: (() => void) | null = null;

  constructor(url: string, serverKey: Uint8Array, keys: KeyPair) {
    this.keys = keys;
    this.opened = this.#opening.promise;
    const now = performance.now();
    this.#end = new PeerEnd({ keys, serverKey, offered: [CHANNEL_SUBPROTOCOL], random: systemRandom, now });
    this.socket = new WebSocket(url, CHANNEL_SUBPROTOCOL);
    this.socket.binaryType = "arraybuffer";
    this.socket.addEventListener("open", () => this.#flush());
    this.socket.addEventListener("message", ({ data }) => this.#receive(new Uint8Array(data as ArrayBuffer)));
    this.closed = new Promise((resolve) =>
      this.socket.addEventListener("close", ({ code }) => {
        this.#opening.resolve();
        resolve(code);
      }),
    );
  }

  get deviceId(): Uint8Array {
    return this.me?.deviceId ?? new Uint8Array(16);
  }

  async request(message: Request): Promise<Answer> {
    const request = this.#end.request(message);
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#answers.set(request, resolve);
    this.#flush();
    return promise;
  }

  tell(message: SignallingMessage): void {
    this.#end.tell(message);
    this.#flush();
  }

  async register(name: string, invite: Uint8Array | null): Promise<Answer> {
    const fields = {
      name,
      password: PASSWORD,
      label: `${name}'s`,
      signKey: this.signing.publicKey,
      deviceList: new Uint8Array(),
    };
    return this.#signIn({ kind: "register", ...fields, invite });
  }

  async enrol(name: string, password = PASSWORD): Promise<Answer> {
    const fields = {
      name,
      password,
      label: `${name}'s`,
      signKey: this.signing.publicKey,
      deviceList: new Uint8Array(),
    };
    return this.#signIn({ kind: "enrol", ...fields });
  }

  async signIn(token: string | null = null): Promise<Answer> {
    return this.#signIn({ kind: "signIn", token });
  }

  /** The next message of this kind, those before it thrown away. */
  async hear<Kind extends SignallingMessage["kind"]>(kind: Kind): Promise<SignallingMessage & { kind: Kind }> {
    for (;;) {
      const message = this.#heard.shift();
      if (message?.kind === kind) return message as SignallingMessage & { kind: Kind };
      if (message === undefined) await new Promise<void>((resolve) => (this.#listening = resolve));
    }
  }

  /** What was heard and not taken. */
  get unheard(): readonly SignallingMessage[] {
    return this.#heard;
  }

  /** Resolves when the server has dealt with all that was said before. */
  async settled(): Promise<void> {
    await this.request({ kind: "listDevices" });
  }

  close(): void {
    this.socket.close();
  }

  async #signIn(message: Request): Promise<Answer> {
    const answer = await this.request(message);
    if (answer.kind === "signedIn") this.me = answer;
    return answer;
  }

  #receive(bytes: Uint8Array): void {
    this.#end.handleMessage(performance.now(), bytes);
    for (let event = this.#end.pollEvent(); event !== null; event = this.#end.pollEvent()) {
      if (event.kind === "open") this.#opening.resolve();
      else if (event.kind === "answer") this.#answers.get(event.request)?.(event.message);
      else if (event.kind === "message") this.#heard.push(event.message);
    }
    this.#listening?.();
    this.#flush();
  }

  #flush(): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    for (let out = this.#end.pollTransmit(); out !== null; out = this.#end.pollTransmit()) this.socket.send(out);
  }
}
