import { mkdir, writeFile } from "node:fs/promises";
import type { Server, ServerWebSocket } from "bun";
import { formatJoinLine } from "../../src/modes/cli/join-line.ts";
import { equalBytes, toBase32, toHex } from "../../src/wire/bytes.ts";
import type { Random } from "../../src/wire/core.ts";
import { CHANNEL_SUBPROTOCOL } from "../../src/wire/limits.ts";
import type { DeviceRecord, SignallingMessage } from "../../src/wire/messages/signalling.ts";
import { KeyPair } from "../../src/wire/noise/primitives.ts";
import { Person } from "./community.ts";
import { type Door, EvilRelay } from "./evil-relay.ts";
import { temporaryFolder } from "./folder.ts";
import { RawChannelServer } from "./raw-channel.ts";

export type Message<Kind extends SignallingMessage["kind"]> = SignallingMessage & { readonly kind: Kind };

/** What goes out instead of `message`. */
export type Twist = (message: SignallingMessage, to: Visitor) => readonly SignallingMessage[];

export interface Account {
  readonly name: string;
  readonly userId: Uint8Array;
  readonly devices: DeviceRecord[];
  readonly deviceList: Uint8Array;
}

export interface EvilOptions {
  /** Another server was here before. */
  readonly port?: number;
  /** Anything else than the key of the join line is what a man in the middle has. */
  readonly keys?: KeyPair;
  readonly tls?: { readonly cert: string; readonly key: string };
}

const random: Random = (length) => crypto.getRandomValues(new Uint8Array(length));
const honest: Twist = (message) => [message];

/**
 * All that a server does for people to meet, on real WebSockets, with nobody's good in mind: what it is about to say passes `twist` first.
 * It keeps no password, no limits and no secrets.
 */
export class EvilServer implements AsyncDisposable {
  twist: Twist = honest;
  /** What `/v1/key` answers. */
  showKey: () => Response;
  readonly keys: KeyPair;
  readonly port: number;
  readonly accounts = new Map<string, Account>();
  /** Everything it was told, in order. */
  readonly heard: { readonly from: Visitor; readonly message: SignallingMessage }[] = [];
  /** Binary messages as they came, channel or not. */
  readonly raw: Uint8Array[] = [];
  readonly visitors = new Set<Visitor>();
  /** Gives legs out once it is opened. */
  readonly relay = new EvilRelay();
  readonly #folder = temporaryFolder();
  readonly #http: Server<Door>;
  readonly #secure: boolean;
  readonly #askers = new Map<string, Visitor>();
  readonly #asked = new Map<string, Visitor[]>();
  readonly #pairs = new Map<string, readonly [Visitor, Visitor]>();

  constructor({ port = 0, keys = KeyPair.generate(random), tls }: EvilOptions = {}) {
    this.keys = keys;
    this.showKey = () => new Response(`${toBase32(keys.publicKey)}\n`);
    this.#secure = tls !== undefined;
    this.#http = Bun.serve<Door>({
      hostname: "127.0.0.1",
      port,
      ...(tls !== undefined && { tls }),
      fetch: (request, server) => this.#answer(request, server),
      websocket: {
        open: (socket) => socket.data.opened(socket),
        message: (socket, bytes) => socket.data.received(new Uint8Array(bytes as Buffer)),
        close: (socket) => socket.data.closed(),
      },
    });
    this.port = this.#http.port ?? 0;
  }

  get joinLine(): string {
    const nodes = [{ host: "127.0.0.1", port: this.port }];
    return formatJoinLine({ secure: this.#secure, nodes, key: this.keys.publicKey, invite: null });
  }

  /** Somebody with the real program and a home of their own, registered here. */
  async register(name: string): Promise<Person> {
    const person = await this.newcomer(name);
    const { exitCode, stderr } = await person.run("register", name, "--password-file", person.passwordFile);
    if (exitCode !== 0) throw new Error(`cannot register ${name}: ${stderr}`);
    return person;
  }

  async newcomer(name: string, joinLine = this.joinLine): Promise<Person> {
    const folder = this.#folder.at(name);
    await mkdir(folder);
    const person = new Person(name, folder, joinLine, {});
    await writeFile(person.passwordFile, `correct horse ${name}\n`, { mode: 0o600 });
    return person;
  }

  account(name: string): Account {
    const account = this.accounts.get(name);
    if (account === undefined) throw new Error(`nobody is called ${name}`);
    return account;
  }

  device(name: string): DeviceRecord {
    const [device] = this.account(name).devices;
    if (device === undefined) throw new Error(`${name} has no device`);
    return device;
  }

  /** The channels of somebody's programs. */
  of(name: string): Visitor[] {
    return [...this.visitors].filter(({ account }) => account?.name === name);
  }

  /** What it was told, of one kind. */
  told<Kind extends SignallingMessage["kind"]>(kind: Kind): Message<Kind>[] {
    return this.heard.flatMap(({ message }) => (message.kind === kind ? [message as Message<Kind>] : []));
  }

  /** As if its process had ended: the homes of those it knew stay. */
  async stop(): Promise<void> {
    await this.#http.stop(true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.#folder[Symbol.dispose]();
  }

  #answer(request: Request, server: Server<Door>): Response | undefined {
    const { pathname } = new URL(request.url);
    if (pathname === "/v1/key") return this.showKey();
    const offered = (request.headers.get("sec-websocket-protocol") ?? "").split(",").map((each) => each.trim());
    const channel = new RawChannelServer({ keys: this.keys, offered, random, now: 0 });
    const data = pathname === "/v1/relay" ? this.relay.door() : this.#doorOf(new Visitor(channel));
    const headers = { "Sec-WebSocket-Protocol": CHANNEL_SUBPROTOCOL };
    return server.upgrade(request, { data, headers }) ? undefined : new Response(null, { status: 404 });
  }

  #doorOf(visitor: Visitor): Door {
    return {
      opened: (socket) => void this.visitors.add(visitor.entered(socket)),
      received: (bytes) => this.#receive(visitor, bytes),
      closed: () => void this.visitors.delete(visitor),
    };
  }

  #receive(from: Visitor, bytes: Uint8Array): void {
    this.raw.push(bytes);
    const message = from.read(bytes);
    if (message === null) return;
    this.heard.push({ from, message });
    this.#handle(from, message);
  }

  #handle(from: Visitor, message: SignallingMessage): void {
    switch (message.kind) {
      case "signIn":
      case "register":
      case "enrol":
        return this.#signIn(from, message);
      case "answer":
        return void (from.answers = message.answers);
      case "findPerson":
        return this.#say(from, this.#personOf(message));
      case "listPeople":
        return this.#say(from, { kind: "people", request: message.request, people: this.#everybody(), more: false });
      case "listDevices":
        return this.#say(from, { kind: "devices", request: message.request, devices: from.account?.devices ?? [] });
      case "getTicket":
        return this.#say(from, this.#ticketOf(message));
      case "ring":
        return this.#ring(from, message);
      case "accept":
        return this.#accept(from, message);
      case "decline":
        return this.#toAsker({ kind: "refused", session: message.session, code: message.code, retryMs: 0 });
      case "cancel":
        for (const asked of this.#asked.get(toHex(message.session)) ?? []) this.#say(asked, message);
        return;
      case "forward":
        return this.#toOther(from, message.session, message);
      case "hangUp":
        return this.#toOther(from, message.session, { kind: "gone", session: message.session, code: "peer-gone" });
      case "ping":
        return this.#say(from, { kind: "pong" });
      case "openLeg":
        return this.#say(from, this.#legOf(from, message));
      default:
        if ("request" in message) this.#say(from, { kind: "done", request: message.request });
    }
  }

  #say(to: Visitor, message: SignallingMessage): void {
    for (const twisted of this.twist(message, to)) to.say(twisted);
  }

  #signIn(from: Visitor, message: Message<"signIn" | "register" | "enrol">): void {
    const key = from.key;
    if (message.kind !== "signIn") this.#enrol(key, message);
    const account = [...this.accounts.values()].find(({ devices }) =>
      devices.some((each) => equalBytes(each.key, key)),
    );
    const device = account?.devices.find((each) => equalBytes(each.key, key));
    if (account === undefined || device === undefined) return this.#say(from, failed(message.request, "not-signed-in"));
    from.account = account;
    from.device = device;
    const { name, userId } = account;
    const rest = { name, userId, deviceId: device.id, token: "token", tokenLifetimeMs: 600_000, relays: true };
    this.#say(from, { kind: "signedIn", request: message.request, ...rest });
  }

  #enrol(key: Uint8Array, { name, signKey, label, deviceList }: Message<"register" | "enrol">): void {
    const device = { id: random(16), key, signKey, label, online: true };
    const account = this.accounts.get(name);
    if (account === undefined) this.accounts.set(name, { name, userId: random(16), devices: [device], deviceList });
    else account.devices.push(device);
  }

  #personOf({ request, name }: Message<"findPerson">): SignallingMessage {
    const account = this.accounts.get(name);
    return account === undefined ? failed(request, "no-such-person") : { kind: "person", request, ...account };
  }

  #everybody(): { name: string; online: boolean }[] {
    return [...this.accounts.keys()].map((name) => ({ name, online: this.of(name).length > 0 }));
  }

  /** Of a port where nobody answers. */
  #ticketOf({ request }: Message<"getTicket">): SignallingMessage {
    const [ticket, key, ports] = [random(16), random(32), [this.port]];
    return { kind: "ticket", request, ticket, key, lifetimeMs: 600_000, ports, node: "" };
  }

  #legOf(from: Visitor, { request, session }: Message<"openLeg">): SignallingMessage {
    if (!this.relay.isOpen) return failed(request, "no-path");
    const byChannel = (body: Uint8Array) => this.#toOther(from, session, { kind: "forward", session, body });
    const ports = this.relay.udp === null ? [] : [this.relay.udp.port];
    const { id, key } = this.relay.ticketFor(session, from.account?.name ?? "", byChannel);
    return { kind: "leg", request, session, leg: id, key, node: "", ports };
  }

  #ring(from: Visitor, { session, purpose, previews }: Message<"ring">): void {
    const { account, device } = from;
    if (account === null || device === null) return;
    this.#askers.set(toHex(session), from);
    const asked = [...this.visitors].filter(({ answers }) => (answers & purpose) !== 0);
    for (const { device: id, sealed } of previews) {
      for (const visitor of asked.filter((each) => each.device !== null && equalBytes(each.device.id, id))) {
        this.#asked.set(toHex(session), [...(this.#asked.get(toHex(session)) ?? []), visitor]);
        const { name, userId } = account;
        this.#say(visitor, { kind: "incoming", session, name, userId, device, purpose, preview: sealed });
      }
    }
    if (this.#asked.has(toHex(session))) this.#say(from, { kind: "ringing", session });
    else this.#say(from, { kind: "refused", session, code: "offline", retryMs: 0 });
  }

  #accept(from: Visitor, { session, versions, handshake }: Message<"accept">): void {
    const asker = this.#askers.get(toHex(session));
    if (asker === undefined || from.device === null) return;
    this.#pairs.set(toHex(session), [asker, from]);
    this.#say(asker, { kind: "accepted", session, device: from.device.id, versions, handshake });
    for (const end of [asker, from]) this.#say(end, { kind: "observed", session, addresses: [] });
  }

  #toAsker(message: Message<"refused">): void {
    const asker = this.#askers.get(toHex(message.session));
    if (asker !== undefined) this.#say(asker, message);
  }

  #toOther(from: Visitor, session: Uint8Array, message: SignallingMessage): void {
    const pair = this.#pairs.get(toHex(session)) ?? [];
    for (const end of pair) if (end !== from) this.#say(end, message);
  }
}

/** One channel to the server. */
export class Visitor {
  account: Account | null = null;
  device: DeviceRecord | null = null;
  /** Purposes, as bits. */
  answers = 0;
  readonly #channel: RawChannelServer;
  #socket: ServerWebSocket<Door> | null = null;

  constructor(channel: RawChannelServer) {
    this.#channel = channel;
  }

  /** The channel's static key. */
  get key(): Uint8Array {
    return this.#channel.remoteStatic ?? new Uint8Array(32);
  }

  entered(socket: ServerWebSocket<Door>): this {
    this.#socket = socket;
    return this;
  }

  /** Null for what is the channel's own, or no message. */
  read(bytes: Uint8Array): SignallingMessage | null {
    try {
      const { reply, message } = this.#channel.handle(bytes);
      if (reply !== null) this.sayRaw(reply);
      return message;
    } catch {
      this.#socket?.close();
      return null;
    }
  }

  say(message: SignallingMessage): void {
    this.sayRaw(this.#channel.seal(message));
  }

  /** Sealed as a message, whatever it is. */
  sayBytes(plain: Uint8Array): void {
    this.sayRaw(this.#channel.sealBytes(plain));
  }

  /** Not sealed. */
  sayRaw(bytes: Uint8Array): void {
    this.#socket?.sendBinary(bytes);
  }

  hangUp(): void {
    this.#socket?.terminate();
  }
}

function failed(request: number, code: string): SignallingMessage {
  return { kind: "failed", request, code, message: `no: ${code}`, retryMs: 0 };
}
