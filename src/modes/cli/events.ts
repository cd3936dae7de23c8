import type { ErrorCode } from "../../wire/errors.ts";
import type { MappingKind } from "../../wire/traversal/mapping.ts";
import type { Mapper, Reach } from "../../wire/traversal/network-report.ts";
import type { ErrorSide } from "./errors.ts";

/** What `--json` prints: one object per line, `{"v":1,"event":…}` with these fields. Readers ignore fields they do not know. */
export type CliEvent = AccountEvent | SessionEvent | TransferEvent | ServerEvent | OtherEvent | ErrorEvent;

/** How far a device key, or the worst key of a person, is trusted. */
export type Trust = "none" | "new" | "verified" | "changed";
export type PathKind = "lan" | "direct" | "port-mapped" | "relay-udp" | "relay-ws";

/** Every event of a session says whose it is. */
export interface OfSession {
  /** User name of the other end. */
  readonly peer: string;
  /** Session id in hex. */
  readonly session: string;
}

/** Every event of a transfer carries its id: 32 hex digits, the same on both ends, one per `send` and person. */
export interface OfTransfer extends OfSession {
  readonly id: string;
}

export interface FileSummary {
  readonly name: string;
  readonly bytes: number;
}

export interface OfferSummary {
  readonly count: number;
  readonly bytes: number;
  /** The first 50. */
  readonly files: readonly FileSummary[];
}

export type AccountEvent =
  | { readonly event: "signed_in"; readonly user: string; readonly device: string; readonly server: string }
  | { readonly event: "signed_out" }
  | {
      readonly event: "user";
      readonly name: string;
      readonly online: boolean;
      readonly trust: Trust;
      readonly blocked?: true;
    }
  | {
      readonly event: "device";
      readonly id: string;
      readonly label: string;
      readonly key: string;
      readonly trust: Trust;
      /** It is the one that this program runs on. */
      readonly here?: true;
    }
  | { readonly event: "waiting" }
  | NumberEvent;

/** One per device of the person. */
export interface NumberEvent {
  readonly event: "number";
  readonly peer: string;
  readonly device: string;
  /** 60 digits. */
  readonly digits: string;
  readonly trust: Trust;
}

export type SessionEvent =
  | RequestEvent
  | (OfSession & { readonly event: "connected"; readonly path: PathKind; readonly safety: string })
  | PathEvent
  | MessageEvent
  | (OfSession & { readonly event: "posted" | "delivered"; readonly id: string; readonly to: string })
  | (OfSession & { readonly event: "read"; readonly id: string })
  | { readonly event: "queued"; readonly id: string; readonly to: string }
  | PongEvent
  | StatsEvent
  | ClosedEvent;

export interface ClosedEvent extends OfSession {
  readonly event: "closed";
  readonly reason: string;
  /** The way it went in the end. */
  readonly path: PathKind;
  /** Why the server carried it to the end: lower case, for people. */
  readonly why?: string;
}

export interface RequestEvent extends OfSession, Partial<OfferSummary> {
  readonly event: "request";
  readonly from: string;
  readonly purpose: "chat" | "files" | "pipe" | "ping";
  readonly trust: Trust;
  readonly greeting?: string;
}

export interface PathEvent extends OfSession {
  readonly event: "path";
  readonly kind: PathKind;
  /** host:port of the other end, or of the server for a relayed path. */
  readonly remote: string;
  readonly rttMs: number | null;
  /** Why this path: lower case, for people. */
  readonly why: string;
}

/** With `--verbose` only: once a second, and once at the end. Null where there is no path, or nothing is known of it yet. */
export interface StatsEvent extends OfSession {
  readonly event: "stats";
  /** The last one, whose rates are those of the whole session. */
  readonly final: boolean;
  readonly path: PathKind;
  /** Smoothed, and the least of the last minute. */
  readonly rttMs: number | null;
  readonly minRttMs: number | null;
  /** The longest packet that goes there. */
  readonly mtuBytes: number | null;
  readonly congestionWindowBytes: number | null;
  readonly bytesInFlight: number | null;
  /** Since the last one, packets whole. */
  readonly sendBytesPerSecond: number;
  readonly receiveBytesPerSecond: number;
  /** What held bulk for most of that time. */
  readonly limitedBy: "application" | "credit" | "buffer" | "window" | "pacing" | "path";
  /** Of the whole session, on all its paths. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly retransmittedBytes: number;
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  /** Of the lost ones: arrived after all. */
  readonly packetsLostSpuriously: number;
  /** New keys. */
  readonly rekeys: number;
}

export interface MessageEvent extends OfSession {
  readonly event: "message";
  readonly from: string;
  readonly id: string;
  readonly text: string;
  /** Unix time of the sender's clock. */
  readonly sentAtMs: number;
}

export interface PongEvent {
  readonly event: "pong";
  readonly peer: string;
  readonly session?: string;
  readonly rttMs: number;
  /** `server`: a stranger's answer, which went over the server only. */
  readonly path: PathKind | "server";
  /** host:port of the other end, or of the server for a relayed path. */
  readonly remote?: string;
}

export type TransferEvent =
  | (OfTransfer & OfferSummary & { readonly event: "offer"; readonly from?: string; readonly to?: string })
  | (OfTransfer & { readonly event: "accepted" })
  | ProgressEvent
  | SavedEvent
  | (OfTransfer & {
      readonly event: "received" | "sent";
      readonly bytes: number;
      readonly seconds: number;
      readonly limitedBy: TransferLimit;
    });

/** What held a transfer up for the longest time. The receiving end cannot tell the network from the sender's disk. */
export type TransferLimit =
  "our-disk" | "their-disk" | "network" | "relay-limit" | "network-or-their-disk" | "too-short";

/** At most four a second. */
export interface ProgressEvent extends OfTransfer {
  readonly event: "progress";
  /** Name of the file under way. */
  readonly file: string;
  /** Of the whole transfer, resumed bytes counted. */
  readonly bytes: number;
  readonly total: number;
  readonly bytesPerSecond: number;
  readonly etaSeconds: number | null;
}

/** On the receiving end, once per file. */
export interface SavedEvent extends OfTransfer {
  readonly event: "saved";
  /** As offered. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  readonly bytes: number;
  /** Root of the block-hash tree, 64 hex digits. */
  readonly hash: string;
}

export type ServerEvent =
  | ReadyEvent
  | { readonly event: "invite"; readonly join: string }
  | FindingEvent
  | MigratedEvent
  | { readonly event: "status"; readonly fingerprint: string }
  | StatusEvent;

export type StatusEvent = { readonly event: "status" } & ServerStatus;

/** `server status`: of this node, and under `cluster` of all; null there for a server of one node. */
export type ServerStatus =
  | ({ readonly running: true; readonly cluster: ClusterFigures | null } & ServerHealth & NodeFigures)
  | ({ readonly running: false } & ServerHealth);

export interface ServerHealth {
  readonly version: string;
  /** How long the accounts took to answer; null when they did not. */
  readonly storeMs: number | null;
}

/** What one node sees of all. */
export interface ClusterFigures {
  /** Itself included. */
  readonly nodes: number;
  /** Who answers something, at whichever node; null while Redis does not answer. */
  readonly people: number | null;
  /** How long Redis took to answer; null when it did not. */
  readonly redisMs: number | null;
}

/** Counts are since the node started. */
export interface NodeFigures {
  readonly uptimeSeconds: number;
  /** Who answers something here. */
  readonly people: number;
  /** Signed in; each has one or more channels. */
  readonly devices: number;
  readonly channels: number;
  /** Sessions alive. */
  readonly pairings: number;
  /** Ended, by the kind of path they were on, as one end reported it. */
  readonly sessions: Readonly<Record<string, number>>;
  /** From 0 to 1; null when none has ended. */
  readonly directShare: number | null;
  readonly relayedBytes: number;
  /** By sender, the first ten, most first. */
  readonly relayedByAccount: readonly { readonly name: string; readonly bytes: number }[];
  /** How often somebody was told `limited` or `busy`, by where. */
  readonly limits: Readonly<Record<string, number>>;
}

/** Of `server --check`: with what is `wrong` the server would not start, a `warning` is for the operator to weigh. */
export interface FindingEvent {
  readonly event: "finding";
  readonly level: "wrong" | "warning";
  readonly message: string;
  readonly hint: string;
}

/** Of `server migrate`: what both stores hold now, by kind (`accounts`, `devices`, …). */
export interface MigratedEvent {
  readonly event: "migrated";
  /** Without credentials, as `to`. */
  readonly from: string;
  readonly to: string;
  readonly counts: Readonly<Record<string, number>>;
  /** SHA-256 over the records of a kind, the same in both. Hex. */
  readonly digests: Readonly<Record<string, string>>;
  /** Records that an earlier run had copied. */
  readonly alreadyThere: number;
  readonly generation: number;
  readonly seconds: number;
}

export interface ReadyEvent {
  readonly event: "ready";
  /** host:port. */
  readonly http: string;
  /** host:port of each UDP port. */
  readonly udp: readonly string[];
  /** The server key, 52 base32 characters. */
  readonly fingerprint: string;
  /** With an invitation at the first start only. */
  readonly join: string;
}

export type OtherEvent =
  | VersionEvent
  | ReportEvent
  | PairReportEvent
  | {
      readonly event: "transfer";
      readonly id: string;
      readonly peer: string;
      readonly state: string;
      readonly bytes: number;
      readonly total: number;
    }
  | {
      readonly event: "entry";
      readonly peer: string;
      readonly from: string;
      readonly id: string;
      readonly text: string;
      readonly sentAtMs: number;
    }
  | { readonly event: "setting"; readonly key: string; readonly value: string; readonly from: string };

/** Of `doctor`: what this network allows, and what was found. Null is for what could not be told. */
export interface ReportEvent extends NetworkFields {
  readonly event: "report";
  /** One sentence. */
  readonly verdict: string;
  /** With how many people direct connections work: almost everybody, most, few, nobody. */
  readonly allows: "good" | "fair" | "poor" | "none" | "unknown";
  /** Single datagrams to the server, none sent twice. */
  readonly udpAsked: number;
  readonly udpAnswered: number;
  readonly udpRttMs: number | null;
  /** A server with one address cannot tell whom a NAT lets in. */
  readonly filtering: "unknown";
  /** Whether the own outside address leads back in. */
  readonly hairpin: boolean | null;
  /** The largest packet that leaves this machine, headers included. */
  readonly mtuBytes: number | null;
  /** host:port. */
  readonly server: string | null;
  readonly reached: boolean;
  /** Inside the channel. */
  readonly relayRttMs: number | null;
  readonly relays: boolean | null;
  /** By so many seconds the server's clock is ahead. */
  readonly serverClockSeconds: number | null;
  /** host:port of the HTTP proxy on the way to the server. */
  readonly proxy: string | null;
  /** With `--verbose`: where the server sees this machine. */
  readonly addresses?: readonly string[];
}

/** What one protocol for port mapping came to at one gateway. */
export interface PortMapper {
  readonly protocol: Mapper;
  readonly state: "asking" | "ready" | "mapped" | "silent" | "unsupported" | "refused" | "not-public" | "unwanted";
}

/** Of `doctor PERSON`: whether there is a direct path, and why. The fields that `report` has are of this end. */
export interface PairReportEvent extends OfSession, NetworkFields {
  readonly event: "report";
  /** One sentence. */
  readonly verdict: string;
  readonly direct: boolean;
  readonly path: PathKind;
  readonly remote: string;
  readonly rttMs: number | null;
  readonly filtering: "unknown";
  readonly hairpin: null;
  /** Null where the other end shows nothing of its network. */
  readonly theirs: NetworkFields | null;
}

/** What one end tells the other of its network. */
export interface NetworkFields {
  readonly udp: "works" | "blocked" | "unknown";
  readonly ipv4: Reach;
  readonly ipv6: Reach;
  /** How the NAT gives out ports over IPv4. */
  readonly mapping: MappingKind;
  /** From one outside port to the next; 0 unless they are in a row. */
  readonly mappingStep: number;
  readonly portMapping: "mapped" | "none" | "off" | "unknown";
  readonly portMappers: readonly PortMapper[];
}

export interface VersionEvent {
  readonly event: "version";
  readonly version: string;
  readonly commit: string;
  /** Highest protocol version spoken. */
  readonly protocol: number;
  /** os-arch. */
  readonly target: string;
}

export interface ErrorEvent {
  readonly event: "error";
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly side: ErrorSide;
  readonly exit: number;
  /** The program ends with it, and it is the last line. */
  readonly fatal: boolean;
  readonly peer?: string;
  readonly session?: string;
  readonly id?: string;
}
