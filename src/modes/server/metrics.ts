import { Counter, Gauge, Registry } from "prom-client";
import { versionEvent } from "../cli/build-info.ts";
import type { Services } from "./services.ts";
import { limitKinds, pathKinds } from "./tally.ts";

/** What Prometheus reads. */
export interface Metrics {
  readonly contentType: string;
  /** Asks the databases for a sign of life first, once each time. */
  render(): Promise<string>;
}

/** How long each takes to answer; null when it does not. Milliseconds. */
export interface Databases {
  readonly storeMs: () => Promise<number | null>;
  /** Null for a server of one node. */
  readonly redisMs: (() => Promise<number | null>) | null;
}

/** The figures of `status` and of the process. Labels hold kinds of things, never a name or an address of anybody. */
export function createMetrics(services: Services, { storeMs, redisMs }: Databases): Metrics {
  const registry = new Registry();
  const answers: { storeMs: number | null; redisMs: number | null } = { storeMs: null, redisMs: null };
  addPeople(registry, services);
  addCounts(registry, services);
  addDatabase(registry, { name: "accounts", title: "the accounts" }, () => answers.storeMs);
  if (redisMs !== null) addDatabase(registry, { name: "redis", title: "Redis" }, () => answers.redisMs);
  addProcess(registry);
  return {
    contentType: registry.contentType,
    async render() {
      [answers.storeMs, answers.redisMs] = await Promise.all([storeMs(), redisMs?.() ?? null]);
      return registry.metrics();
    },
  };
}

function addPeople(registry: Registry, { members, attendance, hub, link }: Services): void {
  const add = gauges(registry);
  add("p2p_nodes_seen", "Nodes of this server that this node sees, itself included", () => link.others.size + 1);
  add("p2p_people_online", "People who answer something on this node", () => attendance.people);
  add("p2p_devices_signed_in", "Devices with a channel open to this node", () => members.devices);
  add("p2p_channels_open", "Channels signed in to this node", () => members.size);
  add("p2p_sessions_live", "Sessions that this node brought together and that have not ended", () => hub.pairings.size);
}

function addCounts(registry: Registry, { tally }: Services): void {
  const add = counters(registry);
  add("p2p_relayed_bytes_total", "Bytes of sessions sent through this node", () => [[{}, tally.relayedBytes]]);
  add("p2p_sessions_ended_total", "Sessions ended, by the kind of path they were on, as one end reported it", () =>
    pathKinds.map((path) => [{ path }, tally.sessionsEnded(path)]),
  );
  add("p2p_limits_hit_total", "How often somebody was told to come later, by what they wanted", () =>
    limitKinds.map((kind) => [{ kind }, tally.limitsHit(kind)]),
  );
}

interface DatabaseNames {
  readonly name: string;
  readonly title: string;
}

function addDatabase(registry: Registry, { name, title }: DatabaseNames, answerMs: () => number | null): void {
  const add = gauges(registry);
  add(`p2p_${name}_up`, `1 when ${title} answered just now, else 0`, () => (answerMs() === null ? 0 : 1));
  add(`p2p_${name}_answer_seconds`, `Time until ${title} answered just now; NaN without an answer`, () => {
    const ms = answerMs();
    return ms === null ? Number.NaN : ms / 1_000;
  });
}

/** By the names that every Prometheus client gives them. */
function addProcess(registry: Registry): void {
  const { version, commit, target } = versionEvent();
  const add = counters(registry);
  const startedAt = Date.now() / 1_000 - process.uptime();
  gauges(registry)("process_resident_memory_bytes", "Resident memory size in bytes", () => process.memoryUsage.rss());
  gauges(registry)("process_start_time_seconds", "Start time of the process since the Unix epoch", () => startedAt);
  add("process_cpu_seconds_total", "User and system CPU time spent in seconds", () => [[{}, cpuSeconds()]]);
  const build = { name: "p2p_build_info", help: "1, for the labels", labelNames: ["version", "commit", "target"] };
  new Gauge({ ...build, registers: [registry] }).set({ version, commit, target }, 1);
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
}

function gauges(registry: Registry) {
  return (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
}

type Labels = Readonly<Record<string, string>>;

/** Counters that are kept elsewhere: each reading replaces the one before. */
function counters(registry: Registry) {
  return (name: string, help: string, read: () => readonly (readonly [Labels, number])[]) =>
    new Counter({
      name,
      help,
      labelNames: Object.keys(read()[0]?.[0] ?? {}),
      registers: [registry],
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.inc(labels, value);
      },
    });
}
