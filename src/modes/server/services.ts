import { availableParallelism } from "node:os";
import type { AccountStore } from "../../store/accounts.ts";
import type { Attempts } from "../../store/attempts.ts";
import type { Bus } from "../../store/bus.ts";
import type { PresenceStore } from "../../store/presence.ts";
import type { RateBuckets } from "../../store/rate-buckets.ts";
import type { UdpAddress } from "../../wire/address.ts";
import { newNodeId } from "../../wire/cluster/node-id.ts";
import type { Random } from "../../wire/core.ts";
import type { KeyPair } from "../../wire/noise/primitives.ts";
import type { ProxyNetwork } from "../cli/addresses.ts";
import type { ServerNode } from "../cli/join-line.ts";
import { defaultLimits, type Limits } from "../cli/limits.ts";
import type { Log } from "../runtime/log.ts";
import { AccountDesk } from "./accounts.ts";
import { Attendance } from "./attendance.ts";
import { BlockLists } from "./block-lists.ts";
import { Blocking } from "./blocking.ts";
import { ClientAddresses } from "./client-address.ts";
import type { Clock } from "./clock.ts";
import { Cluster } from "./cluster/cluster.ts";
import { NodeLink } from "./cluster/node-link.ts";
import { Directory } from "./directory.ts";
import { Discovery } from "./discovery.ts";
import { Hub } from "./hub.ts";
import { fingerprintOf, type ServerKeys } from "./key-files.ts";
import { LegShaper } from "./leg-shaper.ts";
import { LimitKeys } from "./limit-keys.ts";
import { orNone, relayQuota } from "./limits.ts";
import { type Member, Members } from "./members.ts";
import { PasswordThreads } from "./password-threads.ts";
import { handleRemote } from "./requests.ts";
import { Revocations } from "./revocations.ts";
import { Slots } from "./slots.ts";
import { Tally } from "./tally.ts";
import { Tokens } from "./tokens.ts";
import { TroubleLog } from "./trouble-log.ts";
import { Turns } from "./turns.ts";
import { UdpRelay } from "./udp-relay.ts";
import { Watchers } from "./watchers.ts";

/** How long a password waits for a free core. */
const MAX_PASSWORD_WAIT_MS = 5_000;

export interface ServicesOptions {
  readonly store: AccountStore;
  readonly presence: PresenceStore;
  /** To the other nodes. */
  readonly bus: Bus;
  /** Limits that hold over all nodes. */
  readonly buckets: RateBuckets;
  readonly attempts: Attempts;
  readonly keys: ServerKeys;
  readonly openRegistration: boolean;
  /** Whether legs are given out. */
  readonly relays: boolean;
  /** Where clients reach this node and no other; null, or left out: as they reach the server. */
  readonly ownPlace?: ServerNode | null;
  /** Those left out are as usual. */
  readonly limits?: Partial<Limits>;
  /** Left out: none. */
  readonly trustedProxies?: readonly ProxyNetwork[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Hears of it when this node has revoked devices. */
  readonly onRevoked: () => void;
  /** Hears once at most that devices have signed in and nothing has come in at these UDP ports. Left out: nobody asks. */
  readonly onUdpSilence?: (ports: readonly number[]) => void;
}

/** What tickets of UDP discovery, and relay legs, are about. */
export interface UdpPlaces {
  /** In the order of the listeners. */
  readonly ports: readonly number[];
  readonly ownAddresses: readonly UdpAddress[];
}

/** What stands behind a channel. */
export interface Services {
  readonly keys: KeyPair;
  readonly accounts: AccountDesk;
  readonly tokens: Tokens;
  readonly revocations: Revocations;
  readonly members: Members;
  readonly directory: Directory;
  readonly attendance: Attendance;
  readonly watchers: Watchers;
  readonly blocking: Blocking;
  readonly hub: Hub;
  readonly link: NodeLink;
  readonly cluster: Cluster;
  readonly discovery: Discovery;
  readonly udpRelay: UdpRelay;
  /** In the order of the listeners. */
  readonly udpPorts: readonly number[];
  readonly turns: Turns;
  readonly tally: Tally;
  readonly relays: boolean;
  readonly ownPlace: ServerNode | null;
  readonly limits: Limits;
  readonly legShaper: LegShaper;
  readonly clientAddresses: ClientAddresses;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly troubles: TroubleLog;
}

/** Puts the parts together; nothing is started yet. */
export async function assembleServices(options: ServicesOptions, udp: UdpPlaces): Promise<Services> {
  const { store, presence, buckets, attempts, keys, openRegistration, relays, clock, random, log } = options;
  const troubles = new TroubleLog(log, clock);
  const onTrouble = (error: unknown) => troubles.tell("server-defect", error);
  const limits: Limits = { ...defaultLimits, ...options.limits };
  const sharedLimits = { buckets, attempts, names: new LimitKeys(keys.channel) };
  const members = new Members();
  const tally = new Tally(clock.now());
  const blockLists = new BlockLists(store.blocks, clock);
  const directory = new Directory(store, presence, blockLists, clock);
  const link = openLink(options, onTrouble);
  const hub = new Hub({
    store,
    presence,
    buckets,
    directory,
    blockLists,
    members,
    link,
    tally,
    limits,
    clock,
    random,
    onTrouble,
  });
  const slots = new Slots(
    clock,
    Math.max(1, availableParallelism() - 1), // one is left to those who are signed in
    orNone(limits["limit-waiting-sign-ins"]),
    MAX_PASSWORD_WAIT_MS,
  );
  const serverKey = keys.channel.publicKey;
  const endDevice = (deviceId: Uint8Array) => {
    for (const member of members.ofDevice(deviceId)) member.end("revoked", 0);
  };
  const onNoted = (devices: readonly Uint8Array[]) => {
    options.onRevoked();
    link.broadcast({ kind: "revoked", devices });
  };
  const onObserved = (member: Member) => {
    hub.pairings.observedChanged(member);
    cluster.observedChanged(member);
  };
  const legShaper = new LegShaper(relayQuota(limits), { clock, shared: sharedLimits, onTrouble });
  const { pairings } = hub;
  const watchers = new Watchers(presence, directory, blockLists, clock, onTrouble);
  const blocking = new Blocking({ directory, blockLists, hub, watchers, link });
  const services: Services = {
    keys: keys.channel,
    accounts: new AccountDesk({
      store,
      passwords: new PasswordThreads(slots, clock),
      clock,
      random,
      log,
      serverKey,
      openRegistration,
      limits,
      shared: sharedLimits,
    }),
    tokens: await Tokens.open(keys.signing, fingerprintOf(keys), clock, random),
    revocations: new Revocations({ devices: store.devices, clock, endDevice, onNoted, onTrouble }),
    members,
    directory,
    attendance: new Attendance({ presence, clock, log, link, onTrouble }),
    watchers,
    blocking,
    hub,
    link,
    discovery: new Discovery({ ...udp, clock, random, onObserved, onSilence: options.onUdpSilence }),
    udpRelay: new UdpRelay({ ...udp, pairings, shaper: legShaper, tally, clock, random }),
    udpPorts: udp.ports,
    turns: new Turns(clock, onTrouble),
    tally,
    relays,
    ownPlace: options.ownPlace ?? null,
    limits,
    legShaper,
    clientAddresses: new ClientAddresses(options.trustedProxies ?? [], log),
    clock,
    random,
    log,
    troubles,
    get cluster() {
      return cluster;
    },
  };
  const cluster = new Cluster({
    link,
    members,
    hub,
    handle: (member, message) => handleRemote(services, member, message),
    onRevoked: (devices) => services.revocations.hear(devices),
    onBlocked: (message) => void blocking.hear(message).catch(onTrouble),
  });
  return services;
}

function openLink(
  { keys, bus, presence, clock, random, log }: ServicesOptions,
  onTrouble: (error: unknown) => void,
): NodeLink {
  const nodeId = newNodeId(keys.channel.publicKey, keys.signing.publicKey, random);
  const secret = keys.channel.exportPrivateKey();
  return new NodeLink({ bus, presence, nodeId, secret, clock, log, onTrouble });
}
