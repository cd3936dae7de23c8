import { WireError } from "../errors.ts";
import type { Frame } from "../messages/session.ts";
import type { EventQueue } from "./events.ts";
import type { AckFrame, FrameHandler } from "./frame-reader.ts";
import type { Indexes } from "./indexes.ts";
import type { JoinedChunks } from "./fates.ts";
import { CHECKS_PATH } from "./path-id.ts";
import type { Paths } from "./paths.ts";
import type { Rekey } from "./rekey.ts";
import type { RouteState } from "./route-state.ts";
import type { SendPath } from "./send-path.ts";
import type { Fate } from "./sent-packets.ts";
import type { Streams } from "./streams.ts";

export interface DispatchTargets {
  readonly paths: Paths;
  readonly streams: Streams;
  readonly rekey: Rekey;
  readonly indexes: Indexes;
  readonly events: EventQueue;
  readonly acked: JoinedChunks;
  readonly lost: Fate;
  readonly onClose: (code: string, reason: string) => void;
}

/** Hands each frame of a packet to the part of the session it is for. Everything it throws ends the session. */
export class FrameDispatcher implements FrameHandler {
  readonly #to: DispatchTargets;
  #now = 0;
  #pathId = 0;
  #route: RouteState | null = null;
  /** Of the packet being read: something in it asks for an acknowledgement. */
  asksForAck = false;

  constructor(targets: DispatchTargets) {
    this.#to = targets;
  }

  /** The next frames are from a packet of this path, which came on this route. */
  begin(now: number, pathId: number, route: RouteState | null): void {
    this.#now = now;
    this.#pathId = pathId;
    this.#route = route;
    this.asksForAck = false;
  }

  ack(ack: AckFrame): void {
    this.#refuseOnChecksPath();
    const path = this.#to.paths.byId(ack.path);
    if (path !== null) this.#onAck(path, ack);
    else if (!this.#to.paths.wasUsed(ack.path)) throw new WireError("protocol-error", "an ack for a path never used");
  }

  stream(stream: number, offset: number, fin: boolean, packet: Uint8Array, from: number, to: number): void {
    this.#refuseOnChecksPath();
    this.asksForAck = true;
    this.#to.streams.onData(stream, offset, fin, packet, from, to);
  }

  frame(frame: Frame): void {
    if (frame.kind === "challenge" || frame.kind === "response") return this.#onCheck(frame);
    this.#refuseOnChecksPath();
    if (frame.kind === "close") return this.#to.onClose(frame.code, frame.reason);
    this.asksForAck = true;
    if (!this.#to.streams.onFrame(frame)) this.#onOther(frame);
  }

  /** Whoever says what we do not understand is to know that it came, and not to say it for ever. */
  unknown(): void {
    this.asksForAck = true;
  }

  #onAck(path: SendPath, ack: AckFrame): void {
    const { acked, lost } = this.#to;
    path.onAck(this.#now, ack, acked, lost);
    acked.end();
  }

  #onCheck(frame: Extract<Frame, { kind: "challenge" | "response" }>): void {
    if (this.#pathId !== CHECKS_PATH) throw new WireError("protocol-error", "a check outside the path for checks");
    if (this.#route === null) return;
    if (frame.kind === "challenge") this.#to.paths.onChallenge(this.#route, frame.nonce);
    else this.#to.paths.onResponse(this.#now, this.#route, frame);
  }

  #onOther(frame: Frame): void {
    switch (frame.kind) {
      case "datagram":
        return this.#to.events.push({ kind: "datagram", bytes: frame.data });
      case "candidate":
      case "candidatesEnd":
      case "abilities":
      case "mapping":
      case "seekMe":
      case "report":
        return this.#to.events.push({ kind: "frame", frame });
      case "spareIndexes":
        return this.#to.indexes.onRemoteSpares(frame.indexes);
      case "rekey":
      case "rekeyed":
      case "rekeyWanted":
        return this.#to.rekey.onFrame(this.#now, frame);
      default:
        return undefined; // a ping says nothing
    }
  }

  #refuseOnChecksPath(): void {
    if (this.#pathId === CHECKS_PATH) throw new WireError("protocol-error", "a frame on the path for checks");
  }
}
