import { addressKey, type UdpAddress } from "../address.ts";
import type { CandidateType } from "./candidate.ts";
import { offsetsFor, ROUND_AFTER_FULL, ROUND_OFFSETS_MS, roundAtMs } from "./check-schedule.ts";
import type { Permit } from "./permit.ts";

/** Two checks of one pair are at least this far apart, however often the other end is heard. Milliseconds. */
const MIN_GAP_MS = 50;

/** One of our sockets and one address of the other end, and when it is to be checked. */
export class CheckPair {
  readonly socket: number;
  readonly remote: UdpAddress;
  /** Of the remote address, for maps. */
  readonly key: string;
  readonly type: CandidateType;
  permit: Permit;
  #openedAt: number | null = null;
  #phase: "idle" | "waiting" | "checking" | "valid" = "idle";
  #hasAnswered = false;
  #offsets: readonly number[] = [];
  #step = 0;
  #startedAt = 0;
  #checkedAt = -Infinity;
  #lostAt: number | null = null;
  #round = 0;

  constructor(socket: number, remote: UdpAddress, type: CandidateType, permit: Permit) {
    this.socket = socket;
    this.remote = remote;
    this.key = addressKey(remote);
    this.type = type;
    this.permit = permit;
  }

  /**
   * A check that arrives at a NAT before that has sent anything there may be taken for one meant for the NAT itself, which then gives its
   * own host another port towards us. So what goes out first is one that ends on its way.
   */
  get isUnopened(): boolean {
    return this.permit.needsOpener && this.#openedAt === null && this.#phase === "waiting";
  }

  /** Checks that arrive wait until the other end has opened its NAT too. */
  get waitsForOther(): boolean {
    return this.permit.needsOpener && this.#phase === "waiting";
  }

  get isValid(): boolean {
    return this.#phase === "valid";
  }

  /** Waits for its first check, which is paced. */
  get isWaiting(): boolean {
    return this.#phase === "waiting";
  }

  get isIdle(): boolean {
    return this.#phase === "idle";
  }

  /** It belonged to the other end once in this session. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** When the next check is due; -Infinity while it waits for its turn, Infinity when there is none. */
  get dueAt(): number {
    if (this.#phase === "waiting") return this.#openedAt === null ? -Infinity : this.#openedAt + MIN_GAP_MS;
    return this.#phase === "checking" ? this.#startedAt + (this.#offsets[this.#step] ?? Infinity) : Infinity;
  }

  /** When the next round after a loss begins; Infinity when there is none. */
  get roundAt(): number {
    return this.#lostAt === null ? Infinity : this.#lostAt + roundAtMs(this.#round, this.#hasAnswered);
  }

  opened(now: number): void {
    this.#openedAt = now;
  }

  /** Queues it for the whole schedule that its permit gives. */
  queue(): void {
    this.#phase = "waiting";
    this.#offsets = offsetsFor(this.permit.maxChecks);
  }

  /** The other end was heard from there: checked at once, without waiting for a turn. */
  hurry(now: number): void {
    const earliest = Math.max(now, this.#checkedAt + MIN_GAP_MS);
    if (this.#phase === "checking" && this.dueAt <= earliest) return;
    this.#phase = "checking";
    this.#offsets = ROUND_OFFSETS_MS;
    this.#step = 0;
    this.#startedAt = earliest;
  }

  /** A round after a loss is due. What was missed is not made up for. */
  startRound(now: number): void {
    while (this.roundAt <= now) this.#round++;
    this.#phase = "waiting";
    this.#offsets = ROUND_OFFSETS_MS;
  }

  /** One check leaves. What was missed is not made up for. */
  checked(now: number): void {
    if (this.#phase === "waiting") {
      this.#phase = "checking";
      this.#startedAt = now;
      this.#step = 0;
    }
    this.#checkedAt = now;
    while (this.dueAt <= now) this.#step++;
    if (this.dueAt === Infinity) this.#phase = "idle";
  }

  /** Not wanted for now. Rounds go on only for an address that has answered. */
  stop(): void {
    if (this.#phase !== "valid") this.#phase = "idle";
    if (!this.#hasAnswered) this.#lostAt = null;
  }

  validate(): void {
    this.#phase = "valid";
    this.#hasAnswered = true;
    this.#lostAt = null;
  }

  /** The path over it died, or all others did. */
  lose(now: number): void {
    if (this.#phase === "valid") this.#phase = "idle";
    this.#openedAt = null;
    this.#lostAt = now;
    this.#round = 0;
  }

  /** Everything from the start, on a network that may be another. */
  restart(now: number): void {
    this.queue();
    this.#openedAt = null;
    this.#lostAt = now;
    this.#round = ROUND_AFTER_FULL;
  }
}
