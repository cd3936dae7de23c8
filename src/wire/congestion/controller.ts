/** What one ack taught. Times in ms, rates in bytes per ms. */
export interface AckSample {
  readonly now: number;
  /** Bytes of packets that this ack reports for the first time. */
  readonly ackedBytes: number;
  /** Still in flight behind it. */
  readonly bytesInFlight: number;
  /** Round trip of the largest newly acked packet; null when it says nothing. */
  readonly rttMs: number | null;
  /** All bytes ever acked on this path. */
  readonly deliveredBytes: number;
  /** What {@link deliveredBytes} was when the newest acked packet left: more of it than then is one round trip. */
  readonly priorDeliveredBytes: number;
  /** Bytes per ms between two acks, at the rate they were sent or came, whichever is lower; 0 when it cannot be told. */
  readonly deliveryRate: number;
  /** The sender had nothing more to send: the path may carry more than {@link deliveryRate}. */
  readonly isAppLimited: boolean;
  /** In flight when the newest acked packet had left, itself included. */
  readonly sentInFlightBytes: number;
  /** Given up since it left. */
  readonly lostSinceBytes: number;
}

/** Packets that were given up at the same time. */
export interface LossSample {
  readonly now: number;
  readonly lostBytes: number;
  /** When the newest of them left. */
  readonly sentAtMs: number;
  /** In flight when that had left, itself included. */
  readonly sentInFlightBytes: number;
  /** Given up since that left, itself included. */
  readonly lostSinceBytes: number;
  /** The sender had nothing more to send when it left. */
  readonly isAppLimited: boolean;
  /** Nothing at all came through for a while, RFC 9002 §7.6. */
  readonly isPersistent: boolean;
}

/** Decides how much may be on its way on one path, and how fast it leaves. One per path; without a clock of its own. */
export interface CongestionController {
  /** Of the algorithm, for statistics. */
  readonly name: string;
  /** Where in its course it is, for statistics; left out by one that has no such thing. */
  readonly phase?: string;
  readonly windowBytes: number;
  readonly pacingBytesPerMs: number;
  onAck(sample: AckSample): void;
  onLost(sample: LossSample): void;
  /** Packets given up before were only late. Left out by one that takes nothing back. */
  onSpurious?(now: number, lateBytes: number): void;
}
