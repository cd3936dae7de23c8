import { WireError } from "../errors.ts";
import { PagePool } from "./paged-bytes.ts";
import type { SessionLimits } from "./session-limits.ts";
import {
  CHAT_STREAM,
  classOf,
  CONTROL_STREAM,
  countOf,
  isInitiatorsStream,
  type StreamClass,
  streamClasses,
  streamId,
} from "./stream-id.ts";
import { StreamPair } from "./stream-pair.ts";

/** Streams of one class that one end may have opened beyond those that are gone; PROTOCOL.md §7.5. */
const OPEN_AT_ONCE: Readonly<Record<StreamClass, number>> = { control: 4, chat: 4, bulk: 64 };

interface ClassCounts {
  /** The n of the next stream we open, and of the next that the other end does. */
  ours: number;
  theirs: number;
  /** How many the other end lets us open, we let it, and it was told. */
  oursAllowed: number;
  theirsGone: number;
  theirsTold: number;
}

/** Which streams there are: opening, finding, forgetting; and how many the other end may open. */
export class StreamTable {
  readonly #isInitiator: boolean;
  readonly #limits: SessionLimits;
  readonly #pairs = new Map<number, StreamPair>();
  readonly #pool = new PagePool();
  readonly #counts: Readonly<Record<StreamClass, ClassCounts>>;
  readonly #onOpened: (pair: StreamPair) => void;
  /** By class, in the order they were opened. */
  readonly byClass: Readonly<Record<StreamClass, StreamPair[]>> = { control: [], chat: [], bulk: [] };

  constructor(isInitiator: boolean, limits: SessionLimits, onOpened: (pair: StreamPair) => void) {
    this.#isInitiator = isInitiator;
    this.#limits = limits;
    this.#onOpened = onOpened;
    this.#counts = {
      control: this.#firstCounts("control"),
      chat: this.#firstCounts("chat"),
      bulk: this.#firstCounts("bulk"),
    };
    this.#create(CONTROL_STREAM, "control");
    this.#create(CHAT_STREAM, "chat");
  }

  get(id: number): StreamPair | null {
    return this.#pairs.get(id) ?? null;
  }

  /** Also beyond what the other end allows: then nothing leaves until it allows more. */
  open(cls: StreamClass): StreamPair {
    return this.#create(streamId(cls, this.#isInitiator, this.#counts[cls].ours++), cls);
  }

  /** Opened by us, and the other end does not allow so many yet. */
  isHeld(pair: StreamPair): boolean {
    return (
      isInitiatorsStream(pair.id) === this.#isInitiator && countOf(pair.id) >= this.#counts[pair.class].oursAllowed
    );
  }

  /**
   * The stream a frame of the other end names, opened by this if it is new, and all of its class below it.
   * @returns null for one that is gone
   * @throws WireError for one that cannot be
   */
  find(id: number): StreamPair | null {
    const known = this.#pairs.get(id);
    if (known !== undefined) return known;
    const cls = classOf(id);
    if (cls === null) throw new WireError("protocol-error", "a stream of a class that does not exist");
    const counts = this.#counts[cls];
    const count = countOf(id);
    if (isInitiatorsStream(id) === this.#isInitiator) {
      if (count >= counts.ours) throw new WireError("protocol-error", "a frame about a stream that was never opened");
      return null;
    }
    if (count >= counts.theirsTold) throw new WireError("protocol-error", "more streams than were allowed");
    while (counts.theirs <= count)
      this.#onOpened(this.#create(streamId(cls, !this.#isInitiator, counts.theirs++), cls));
    return this.#pairs.get(id) ?? null;
  }

  /** Drops a stream with which both ends are done. */
  forgetIfDone(pair: StreamPair): void {
    if (!pair.isDone || !this.#pairs.delete(pair.id)) return;
    const list = this.byClass[pair.class];
    list.splice(list.indexOf(pair), 1);
    if (isInitiatorsStream(pair.id) !== this.#isInitiator) this.#counts[pair.class].theirsGone++;
  }

  onMaxStreams(classNumber: number, streams: number): void {
    const cls = streamClasses[classNumber];
    if (cls !== undefined) this.#counts[cls].oursAllowed = Math.max(this.#counts[cls].oursAllowed, streams);
  }

  /** @returns the class of which the other end may open more than it knows, by a quarter of what it may at once; null for none */
  get classToRaise(): StreamClass | null {
    return streamClasses.find((cls) => this.#unsaid(cls) >= OPEN_AT_ONCE[cls] / 4) ?? null;
  }

  raise(cls: StreamClass): number {
    return (this.#counts[cls].theirsTold += this.#unsaid(cls));
  }

  /** What was told of a class got lost. */
  allowed(cls: StreamClass): number {
    return this.#counts[cls].theirsTold;
  }

  #unsaid(cls: StreamClass): number {
    const counts = this.#counts[cls];
    return counts.theirsGone + OPEN_AT_ONCE[cls] - counts.theirsTold;
  }

  #firstCounts(cls: StreamClass): ClassCounts {
    const first = cls === "bulk" ? 0 : 1;
    return {
      ours: this.#isInitiator ? first : 0,
      theirs: this.#isInitiator ? 0 : first,
      oursAllowed: OPEN_AT_ONCE[cls],
      theirsGone: 0,
      theirsTold: OPEN_AT_ONCE[cls],
    };
  }

  #create(id: number, cls: StreamClass): StreamPair {
    const pair = new StreamPair(
      id,
      cls,
      cls === "bulk" ? this.#limits.bulkWindowBytes : this.#limits.messageWindowBytes,
      this.#pool,
    );
    this.#pairs.set(id, pair);
    this.byClass[cls].push(pair);
    return pair;
  }
}
