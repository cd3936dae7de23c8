import { equalBytes } from "../bytes.ts";
import type { Random } from "../core.ts";
import { WireError } from "../errors.ts";
import type { Frame } from "../messages/session.ts";
import { type HandshakeResult, HandshakeState } from "../noise/handshake.ts";
import { KKpsk0 } from "../noise/patterns.ts";
import type { KeyPair } from "../noise/primitives.ts";
import { KeyRing } from "../packet/key-ring.ts";
import type { ControlQueue } from "./control-queue.ts";
import type { Indexes } from "./indexes.ts";
import { KeyAge, type SealState } from "./key-age.ts";
import type { SessionLimits } from "./session-limits.ts";

type RekeyFrame = Extract<Frame, { kind: "rekey" }>;
type RekeyedFrame = Extract<Frame, { kind: "rekeyed" }>;

export interface RekeyOptions {
  readonly initiator: boolean;
  readonly keys: { readonly send: Uint8Array; readonly receive: Uint8Array; readonly export: Uint8Array };
  readonly staticKeys: KeyPair;
  readonly remoteStatic: Uint8Array;
  readonly prologue: (purpose: string) => Uint8Array;
  readonly random: Random;
  readonly limits: SessionLimits;
  readonly indexes: Indexes;
  readonly queue: ControlQueue;
  readonly now: number;
}

/** What is still sealed when the keys are past their time. */
export function isRekeyFrame(frame: Frame): boolean {
  return frame.kind === "rekey" || frame.kind === "rekeyed" || frame.kind === "rekeyWanted";
}

/**
 * New keys by a fresh handshake inside the session, PROTOCOL.md §7.3. The initiator of the first handshake starts every one; the other
 * end may only ask. The secret of the epoch before goes in as the PSK, so that both keys of a device must be stolen, and all epochs
 * before be known, to read on.
 */
export class Rekey {
  readonly ring: KeyRing;
  readonly #options: RekeyOptions;
  readonly #age: KeyAge;
  #export: Uint8Array;
  #sendingEpoch = 0;
  /** What is asked or answered, until it is settled. */
  #pending: { readonly state: HandshakeState; readonly frame: RekeyFrame; readonly localIndex: number } | null = null;
  #answer: {
    readonly asked: Uint8Array;
    readonly frame: RekeyedFrame;
    readonly localIndex: number;
    readonly remoteIndex: number;
  } | null = null;
  #wanted: Frame | null = null;

  constructor(options: RekeyOptions) {
    const { keys, limits } = options;
    this.#options = options;
    this.#export = keys.export;
    this.#age = new KeyAge(limits, options.now);
    this.ring = new KeyRing(
      { epoch: 0, sealKey: keys.send, openKey: keys.receive },
      {
        rekeyAfterPackets: limits.rekeyAfterPackets,
        rejectAfterPackets: limits.restrictAfterPackets + limits.gracePackets,
        rekeyAfterForgeries: 2 ** 36,
      },
    );
  }

  /** Exchanges of keys so far. */
  get epoch(): number {
    return this.ring.sending.epoch;
  }

  sealState(now: number): SealState {
    return this.#age.stateOf(now, this.ring.sending);
  }

  /** A packet was sealed while restricted. */
  onRestrictedPacket(): void {
    this.#age.onRestrictedPacket();
  }

  /** Starts an exchange, or asks for one, when the keys have served long enough. */
  poke(now: number): void {
    const { initiator } = this.#options;
    if (!this.#age.isDue(now, this.ring.sending, initiator) || this.#isUnderWay) return;
    if (initiator) this.#start();
    else this.#want();
  }

  /** @throws WireError for what breaks the handshake or the roles */
  onFrame(now: number, frame: Frame): void {
    if (frame.kind === "rekey") this.#onRekey(frame);
    else if (frame.kind === "rekeyed") this.#onRekeyed(now, frame);
    else if (frame.kind === "rekeyWanted") this.#onWanted(frame.epoch);
  }

  /** To be called after every opened packet: the other end's first one under the newest keys moves our sending there. */
  onOpened(now: number): void {
    if (this.ring.sending.epoch === this.#sendingEpoch) return;
    const answer = this.#answer;
    if (answer !== null) this.#onConfirmed(now, answer.localIndex, answer.remoteIndex);
    if (answer !== null) this.#options.queue.cancel(answer.frame);
    this.#answer = null;
  }

  handleTimeout(now: number): void {
    this.ring.handleTimeout(now);
    this.poke(now);
  }

  pollTimeout(): number | null {
    const [ageAt, ringAt] = [this.#age.nextAt(this.#options.initiator), this.ring.pollTimeout()];
    return ageAt === null || ringAt === null ? (ageAt ?? ringAt) : Math.min(ageAt, ringAt);
  }

  get #isUnderWay(): boolean {
    return this.#pending !== null || this.#answer !== null || this.#wanted !== null;
  }

  #start(): void {
    const { indexes, queue } = this.#options;
    const epoch = this.epoch + 1;
    const localIndex = indexes.add();
    const state = this.#handshake("initiator", epoch);
    const frame: RekeyFrame = { kind: "rekey", epoch, handshake: state.writeMessage(indexBytes(localIndex)) };
    this.#pending = { state, frame, localIndex };
    queue.add(frame);
  }

  #onRekey(frame: RekeyFrame): void {
    if (this.#options.initiator) throw new WireError("protocol-error", "a rekey from the end that may not start one");
    const answer = this.#answer;
    if (answer !== null && equalBytes(answer.asked, frame.handshake)) this.#options.queue.onLost(answer.frame);
    if (frame.epoch <= this.ring.newestEpoch) return;
    if (frame.epoch !== this.ring.newestEpoch + 1 || answer !== null)
      throw new WireError("protocol-error", "a rekey out of turn");
    this.#answerTo(frame);
  }

  #answerTo(frame: RekeyFrame): void {
    const { indexes, queue } = this.#options;
    const state = this.#handshake("responder", frame.epoch);
    const remoteIndex = indexFrom(state.readMessage(frame.handshake));
    const localIndex = indexes.add();
    const reply: RekeyedFrame = {
      kind: "rekeyed",
      epoch: frame.epoch,
      handshake: state.writeMessage(indexBytes(localIndex)),
    };
    this.#install(frame.epoch, state.split());
    this.#answer = { asked: frame.handshake, frame: reply, localIndex, remoteIndex };
    this.#cancelWanted();
    queue.add(reply);
  }

  #onRekeyed(now: number, frame: RekeyedFrame): void {
    const pending = this.#pending;
    if (pending === null || frame.epoch !== pending.frame.epoch) {
      if (frame.epoch <= this.epoch && this.#options.initiator) return;
      throw new WireError("protocol-error", "an answer to a rekey that was never asked");
    }
    this.#pending = null;
    const remoteIndex = indexFrom(pending.state.readMessage(frame.handshake));
    this.#install(frame.epoch, pending.state.split());
    this.#options.queue.cancel(pending.frame);
    this.ring.sendUnderNewest(now);
    this.#onConfirmed(now, pending.localIndex, remoteIndex);
    // The other end seals under the new keys only when it has opened something under them.
    this.#options.queue.add({ kind: "ping" });
  }

  #onWanted(epoch: number): void {
    if (!this.#options.initiator)
      throw new WireError("protocol-error", "a wish for a rekey from the end that starts them");
    if (this.#pending === null && epoch === this.epoch + 1) this.#start();
  }

  #install(epoch: number, result: HandshakeResult): void {
    this.ring.add({ epoch, sealKey: result.send.takeKey(), openKey: result.receive.takeKey() });
    this.#export = result.exportSecret;
  }

  /** Both ends have the new keys: sending is under them now. */
  #onConfirmed(now: number, localIndex: number, remoteIndex: number): void {
    this.#sendingEpoch = this.ring.sending.epoch;
    this.#age.restart(now);
    this.#options.indexes.setCurrent(now, localIndex);
    this.#options.indexes.setRemote(remoteIndex);
  }

  #want(): void {
    this.#wanted = { kind: "rekeyWanted", epoch: this.epoch + 1 };
    this.#options.queue.add(this.#wanted);
  }

  #cancelWanted(): void {
    if (this.#wanted !== null) this.#options.queue.cancel(this.#wanted);
    this.#wanted = null;
  }

  #handshake(role: "initiator" | "responder", epoch: number): HandshakeState {
    const { staticKeys, remoteStatic, prologue, random } = this.#options;
    return new HandshakeState({
      pattern: KKpsk0,
      role,
      prologue: prologue(`rekey ${epoch}`),
      s: staticKeys,
      rs: remoteStatic,
      psks: [this.#export],
      random,
    });
  }
}

function indexBytes(index: number): Uint8Array {
  return Uint8Array.of(index >>> 24, index >>> 16, index >>> 8, index);
}

/** @throws WireError unless the payload begins with an index */
function indexFrom(payload: Uint8Array): number {
  if (payload.length < 4) throw new WireError("protocol-error", "a rekey without a receiver index");
  return payload.subarray(0, 4).reduce((number, byte) => number * 256 + byte, 0);
}
