/** What a handler may do with its WebSocket. Neither call throws. */
export interface WebSocketPort {
  /** Where it comes from, canonical. */
  readonly ip: string;
  /** Bytes that wait for the other end to read. */
  readonly queuedBytes: number;
  send(bytes: Uint8Array): void;
  /** With what was sent before still delivered. */
  close(code: number, reason: string): void;
}

/** The life of one WebSocket. What a method throws is our defect: the socket is closed, the process stays. */
export interface SocketHandler {
  /** One binary message. */
  receive(bytes: Uint8Array): void;
  /** There is room again. */
  drained?(): void;
  /** Once, whoever closed it. */
  closed(): void;
}

/** RFC 6455 §7.4.1. */
export const closeCodes = {
  normal: 1_000,
  goingAway: 1_001,
  binaryOnly: 1_003,
  policy: 1_008,
  defect: 1_011,
  tryLater: 1_013,
} as const;
