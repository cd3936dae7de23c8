import { availableParallelism, networkInterfaces } from "node:os";
import type { Server } from "bun";
import type { Hono } from "hono";
import type { AccountStore } from "../../store/accounts.ts";
import type { PresenceStore } from "../../store/presence.ts";
import { canonicalIp } from "../../wire/address.ts";
import type { Random } from "../../wire/core.ts";
import { toHex } from "../../wire/bytes.ts";
import type { ListenAddress } from "../cli/command.ts";
import type { Lifecycle } from "../runtime/lifecycle.ts";
import type { Log } from "../runtime/log.ts";
import { AccountDesk } from "./accounts.ts";
import { Attendance } from "./attendance.ts";
import { BlockLists } from "./block-lists.ts";
import type { Clock } from "./clock.ts";
import { Directory } from "./directory.ts";
import { Discovery } from "./discovery.ts";
import { createApp } from "./http/app.ts";
import { Hub } from "./hub.ts";
import { fingerprintOf, type ServerKeys } from "./key-files.ts";
import { listen, type Listener, ownAddresses } from "./listeners.ts";
import { Members } from "./members.ts";
import { Newcomers } from "./newcomers.ts";
import { Revocations } from "./revocations.ts";
import type { Services } from "./services.ts";
import { Slots } from "./slots.ts";
import { type SocketData, webSockets } from "./sockets.ts";
import { Tokens } from "./tokens.ts";
import { Watchers } from "./watchers.ts";

/** Passwords that wait for a free core, and for how long at most. */
const MAX_WAITING_PASSWORDS = 64;
const MAX_PASSWORD_WAIT_MS = 5_000;
/** Between the goodbye and the end of the sockets. */
const FAREWELL_MS = 250;
/** Clients come back spread over this time. */
const RECONNECT_SPREAD_MS = 5_000;

export interface MeetingOptions {
  readonly store: AccountStore;
  readonly presence: PresenceStore;
  readonly keys: ServerKeys;
  readonly listen: readonly ListenAddress[];
  readonly openRegistration: boolean;
  readonly relays: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Hears of each device that this node has revoked. */
  readonly onRevoked: () => void;
}

/** The meeting place in operation. */
export interface Meeting {
  readonly listeners: readonly Listener[];
  readonly services: Services;
  readonly newcomers: Newcomers;
}

/** Opens the ports and answers. What it opened is closed by `lifecycle`. @throws UserError `port-in-use`, `config` */
export async function openMeeting(options: MeetingOptions, lifecycle: Lifecycle): Promise<Meeting> {
  const { clock, log } = options;
  const running: { app: Hono<{ Bindings: Server<SocketData> }> | null; discovery: Discovery | null } = {
    app: null,
    discovery: null,
  };
  const onFault = (error: unknown) => log.error("udp-defect", { error: String(error) });
  const listeners: Listener[] = [];
  lifecycle.add("ports", () => closePorts(listeners));
  for (const at of options.listen)
    listeners.push(
      await listen(at, {
        fetch: (request, server) => running.app?.fetch(request, server) ?? new Response(null, { status: 503 }),
        websocket: webSockets({ clock, log }),
        onDatagram: (datagram, from, listener) => running.discovery?.handleDatagram(datagram, from, listener) ?? null,
        onFault,
      }),
    );
  const services = await assemble(options, listeners);
  const newcomers = new Newcomers(clock);
  await services.revocations.start();
  await services.attendance.start();
  lifecycle.add("presence", () => rest(services));
  running.discovery = services.discovery;
  running.app = createApp({ services, newcomers, fingerprint: fingerprintOf(options.keys) });
  lifecycle.add("channels", () => farewell(services, listeners));
  return { listeners, services, newcomers };
}

async function assemble(options: MeetingOptions, listeners: readonly Listener[]): Promise<Services> {
  const { store, presence, keys, openRegistration, relays, clock, random, log } = options;
  const onTrouble = (error: unknown) =>
    log.error("store-trouble", { error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  const members = new Members();
  const blockLists = new BlockLists(store.blocks, clock);
  const directory = new Directory(store, presence, blockLists, clock);
  const hub = new Hub({ store, presence, directory, blockLists, members, clock, random, onTrouble });
  const slots = new Slots(clock, availableParallelism(), MAX_WAITING_PASSWORDS, MAX_PASSWORD_WAIT_MS);
  const serverKey = keys.channel.publicKey;
  const endDevice = (deviceId: Uint8Array) => {
    for (const member of members.ofDevice(deviceId)) member.end("revoked", 0);
  };
  return {
    keys: keys.channel,
    accounts: new AccountDesk({ store, slots, clock, random, log, serverKey, openRegistration }),
    tokens: await Tokens.open(keys.signing, fingerprintOf(keys), clock, random),
    revocations: new Revocations({ devices: store.devices, clock, endDevice, onNoted: options.onRevoked, onTrouble }),
    members,
    directory,
    attendance: new Attendance(presence, clock, toHex(random(8)), onTrouble),
    watchers: new Watchers(presence, directory, blockLists, clock, onTrouble),
    hub,
    discovery: new Discovery({
      clock,
      random,
      ports: listeners.flatMap(({ udp }) => udp.map(({ address }) => address.port)).slice(0, 4),
      ownAddresses: ownAddresses(listeners, localIps()),
      onObserved: (member) => hub.pairings.observedChanged(member),
    }),
    relays,
    clock,
    random,
    log,
  };
}

/** New connections are refused first; then those that are there hear when to come back. */
async function farewell({ members, random }: Services, listeners: readonly Listener[]): Promise<void> {
  for (const { tcp } of listeners) void tcp.stop();
  for (const member of members.all()) {
    const [first = 0, second = 0] = random(2);
    member.end("terminated", 1_000 + ((first * 256 + second) % RECONNECT_SPREAD_MS));
  }
  if (members.size > 0) await Bun.sleep(FAREWELL_MS);
}

async function rest({ revocations, watchers, attendance }: Services): Promise<void> {
  revocations.stop();
  watchers.stop();
  await attendance.stop();
}

async function closePorts(listeners: readonly Listener[]): Promise<void> {
  for (const { tcp, udp } of listeners) {
    for (const port of udp) port.close();
    await tcp.stop(true);
  }
}

function localIps(): readonly string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return addresses.flatMap(({ address }) => canonicalIp(address) ?? []);
}
