import type { AccountStore } from "../../store/accounts.ts";
import type { OnTrouble } from "../../store/trouble.ts";
import type { SharedStores } from "../../store/shared.ts";
import type { ServeCommand } from "../cli/command.ts";
import type { ServerContext } from "../cli/context.ts";
import type { ReadyEvent } from "../cli/events.ts";
import { formatHostPort, formatJoinLine, parseJoinLine, splitHostPort } from "../cli/join-line.ts";
import { Lifecycle } from "../runtime/lifecycle.ts";
import { type Log, openLog } from "../runtime/log.ts";
import { openAdminDoor } from "./admin-door.ts";
import { advertisedPlace, isPrivateHost, type JoinPlace, ownNode } from "./advertise.ts";
import { check } from "./check.ts";
import { type Clock, systemClock } from "./clock.ts";
import { refuseStrangers } from "./cluster/strangers.ts";
import { type DataFolder, lockDataFolder, openDataFolder } from "./data-folder.ts";
import type { Finding } from "./finding.ts";
import { Generation } from "./generation.ts";
import { FIRST_INVITATION, makeInvitation } from "./invites.ts";
import { fingerprintOf, openServerKeys, type ServerKeys } from "./key-files.ts";
import { unsafeLimits } from "./limits.ts";
import { type Meeting, type MeetingOptions, openMeeting } from "./meeting.ts";
import { doubtAboutMetrics, openMetricsDoor } from "./metrics-door.ts";
import { explained, openAccounts, openShared, storeUrl } from "./opened-store.ts";
import { systemRandom } from "./system-random.ts";
import { readTls, type TlsFiles, type TlsPair } from "./tls.ts";
import { keepRenewed } from "./tls-renewal.ts";
import { aboutSilence } from "./udp-silence.ts";

/** Expired things are dropped this often. */
const SWEEP_MS = 3_600_000;

/** What a data folder holds, opened in the order in which it is needed. */
interface Opened {
  readonly data: DataFolder;
  readonly keys: ServerKeys;
  readonly store: AccountStore;
  readonly shared: SharedStores;
  /** No other node is to be reckoned with. */
  readonly isAlone: boolean;
}

/** Serves until the signal, then closes in order. @returns 0 */
export async function serve(command: ServeCommand, context: ServerContext): Promise<number> {
  if (command.check) return check(command, context);
  const log = openLog(command.logLevel, context.terminal.fullScreen || context.terminal.interactive);
  await using lifecycle = new Lifecycle({ log });
  const tls = command.tls === null ? null : readTls(command.tls);
  const opened = await openData(context, log, lifecycle);
  const clock = systemClock((error) => log.error("timer-defect", { error: String(error) }));
  const onUdpSilence = (ports: readonly number[]) => tell(context, aboutSilence(ports));
  const ready = await start(command, { ...opened, tls, onUdpSilence }, clock, log, lifecycle);
  warn(command, context, ready.place);
  context.output.event(ready.event);
  if (context.terminal.interactive) context.output.note(whatNext(ready.event, ready.tcpPorts));
  log.info("ready", { http: ready.event.http, data: context.data });
  await lifecycle.closeOn(context.signal);
  log.info("stopped");
  return 0;
}

async function openData({ data: folder, settings }: ServerContext, log: Log, lifecycle: Lifecycle): Promise<Opened> {
  const data = openDataFolder(folder);
  const lock = lockDataFolder(data);
  lifecycle.add("lock", lock.release);
  const onTrouble: OnTrouble = ({ event, place, reason }) => log.warn(event, { place, reason });
  const store = await openAccounts(data, settings, onTrouble);
  lifecycle.add("accounts", async () => store[Symbol.asyncDispose]());
  const keys = openServerKeys(data, systemRandom, !(await isFirstStart(store, Date.now())));
  const shared = await openShared(settings, onTrouble);
  lifecycle.add("shared-stores", async () => shared[Symbol.asyncDispose]());
  return { data, keys, store, shared, isAlone: storeUrl("presence", settings) === null };
}

async function start(
  command: ServeCommand,
  {
    data,
    keys,
    store,
    shared,
    isAlone,
    tls,
    onUdpSilence,
  }: Opened & Pick<Required<MeetingOptions>, "tls" | "onUdpSilence">,
  clock: Clock,
  log: Log,
  lifecycle: Lifecycle,
) {
  const { presence, bus, buckets, attempts } = shared;
  await refuseStrangers(presence, keys, clock);
  const generation = new Generation(store, data.generation);
  const revoked = await explained(() => generation.start(clock));
  if (revoked !== null) log.warn("accounts-restored", { devicesRevoked: revoked });
  const onRevoked = () =>
    void generation.raise().catch((error: unknown) => log.error("generation", { error: String(error) }));
  const { openRegistration, noRelay } = command;
  const options = {
    store,
    presence,
    bus,
    buckets,
    attempts,
    keys,
    listen: command.listen,
    tls,
    secure: command.advertise?.secure ?? tls !== null,
    openRegistration,
    relays: !noRelay,
    ownPlace: async (port: number) => (isAlone ? null : ownNode(command, port)),
    limits: command.limits,
    trustedProxies: command.trustedProxies,
    clock,
    random: systemRandom,
    log,
  };
  const meeting = await openMeeting({ ...options, onRevoked, onUdpSilence }, lifecycle);
  keepSwept(store, clock, log, lifecycle);
  if (command.metrics !== null)
    await openMetricsDoor(command.metrics, { store, bus, services: meeting.services, log }, lifecycle);
  keepCertificate(command.tls, tls, meeting, clock, log, lifecycle);
  const tcpPorts = meeting.listeners.map(({ tcp }) => tcp.port);
  const place = await advertisedPlace(command, tcpPorts);
  await openAdminDoor({ data, store, shared, keys, place, services: meeting.services, log }, lifecycle);
  return { place, tcpPorts, event: await readyEvent(meeting, keys, store, place, clock) };
}

async function readyEvent(
  { listeners }: Meeting,
  keys: ServerKeys,
  store: AccountStore,
  place: JoinPlace,
  clock: Clock,
): Promise<ReadyEvent> {
  const invite = (await isFirstStart(store, clock.unixMs()))
    ? await makeInvitation(store, FIRST_INVITATION, clock.unixMs(), systemRandom)
    : null;
  const [first] = listeners;
  return {
    event: "ready",
    http: first === undefined ? "" : formatHostPort(first.ip, first.tcp.port),
    udp: listeners.flatMap(({ udp }) => udp.addresses.map(({ ip, port }) => formatHostPort(ip, port))),
    fingerprint: fingerprintOf(keys),
    join: formatJoinLine({ ...place, key: keys.channel.publicKey, invite }),
  };
}

/** Nobody has joined, and nobody could. */
async function isFirstStart(store: AccountStore, unixMs: number): Promise<boolean> {
  const people = await explained(() => store.accounts.list({ limit: 1 }));
  return people.length === 0 && (await explained(() => store.invitations.list(unixMs))).length === 0;
}

function keepSwept(store: AccountStore, clock: Clock, log: Log, lifecycle: Lifecycle): void {
  let cancel = () => {};
  const again = () => {
    cancel = clock.after(SWEEP_MS, () => {
      void store.sweep(clock.unixMs()).catch((error: unknown) => log.error("sweep", { error: String(error) }));
      again();
    });
  };
  again();
  lifecycle.add("sweep", () => cancel());
}

function keepCertificate(
  files: TlsFiles | null,
  pair: TlsPair | null,
  { listeners }: Meeting,
  clock: Clock,
  log: Log,
  lifecycle: Lifecycle,
): void {
  if (files === null || pair === null) return;
  const use = (renewed: TlsPair) => {
    for (const { tcp } of listeners) tcp.renew(renewed);
  };
  keepRenewed({ files, pair, use, clock, log }, lifecycle);
}

/** What the operator should know while it runs. */
function tell({ output }: ServerContext, finding: Finding): void {
  if (output.json) output.event({ event: "finding", ...finding });
  else output.note(`p2p: ${finding.level}: ${finding.message}; ${finding.hint}`);
}

/** For the person who has just started it and looks at the line. */
function whatNext({ join, udp }: ReadyEvent, tcpPorts: readonly number[]): string {
  const hasInvitation = parseJoinLine(join).invite !== null;
  const { uses, days } = FIRST_INVITATION;
  const line = hasInvitation
    ? `send this line to your friends: it admits ${uses} people within ${days} days`
    : "people who have an account join with this line; `p2p server invite` makes one for new people";
  const ports = [...tcpPorts.map((port) => `TCP ${port}`), ...udp.map((place) => `UDP ${splitHostPort(place).port}`)];
  return `${line}\nopen ${[...new Set(ports)].join(", ")} in the firewall; Ctrl-C ends the server`;
}

function warn(command: ServeCommand, { output }: ServerContext, { nodes }: JoinPlace): void {
  const { advertise, metrics } = command;
  for (const { message, hint } of unsafeLimits(command)) output.note(`p2p: warning: ${message}; ${hint}`);
  const doubt = metrics === null ? null : doubtAboutMetrics(metrics);
  if (doubt !== null) output.note(`p2p: warning: ${doubt}`);
  const hosts = new Set(advertise === null ? nodes.map(({ host }) => host).filter(isPrivateHost) : []);
  for (const host of hosts) output.note(`p2p: ${host} is a private address; behind NAT? use --advertise HOST`);
}
