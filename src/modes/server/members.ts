import { parseIp, type UdpAddress } from "../../wire/address.ts";
import { toHex } from "../../wire/bytes.ts";
import type { ErrorCode } from "../../wire/errors.ts";
import type { SignallingMessage } from "../../wire/messages/signalling.ts";
import type { Identity } from "./tokens.ts";

export type Message<Kind extends SignallingMessage["kind"]> = SignallingMessage & { readonly kind: Kind };

/** A channel that has signed in, as directory and hub see it. Several programs of one device are several members. */
export interface Member {
  /** 16 random bytes, fresh for each channel, in hex. */
  readonly id: string;
  readonly identity: Identity;
  /** The node that holds the channel; "" for this one. */
  readonly nodeId: string;
  /** Where the channel comes from, canonical. */
  readonly ip: string;
  /** Never throws; what a closed channel is sent goes nowhere. */
  send(message: SignallingMessage): void;
  /** Somebody rings. @param asker the channel that does. @param lost called, later, when this member certainly does not hear of it */
  ring(message: Message<"incoming">, asker: Member, lost: () => void): void;
  /** Says goodbye and closes. @param reconnectMs when to try again; 0: in vain */
  end(code: ErrorCode, reconnectMs: number): void;
  /** Where UDP discovery saw it, newest last. */
  observed: readonly UdpAddress[];
}

export class ChannelMember implements Member {
  readonly id: string;
  readonly identity: Identity;
  readonly nodeId = "";
  readonly ip: string;
  readonly send: Member["send"];
  readonly end: Member["end"];
  observed: readonly UdpAddress[] = [];

  constructor(id: string, identity: Identity, ip: string, channel: Pick<Member, "send" | "end">) {
    this.id = id;
    this.identity = identity;
    this.ip = ip;
    this.send = channel.send;
    this.end = channel.end;
  }

  ring(message: Message<"incoming">): void {
    this.send(message);
  }
}

/** As messages carry addresses. */
export function endpointsOf(addresses: readonly UdpAddress[]): { address: Uint8Array; port: number }[] {
  return addresses.flatMap(({ ip, port }) => {
    const address = parseIp(ip);
    return address === null ? [] : [{ address, port }];
  });
}

/** Everybody who is signed in at this node. */
export class Members {
  readonly #byId = new Map<string, Member>();
  readonly #byDevice = new Map<string, Set<Member>>();

  get size(): number {
    return this.#byId.size;
  }

  /** Those of one device count once. */
  get devices(): number {
    return this.#byDevice.size;
  }

  add(member: Member): void {
    const device = toHex(member.identity.deviceId);
    this.#byId.set(member.id, member);
    this.#byDevice.set(device, (this.#byDevice.get(device) ?? new Set()).add(member));
  }

  remove(member: Member): void {
    const device = toHex(member.identity.deviceId);
    const others = this.#byDevice.get(device);
    this.#byId.delete(member.id);
    others?.delete(member);
    if (others?.size === 0) this.#byDevice.delete(device);
  }

  find(id: string): Member | null {
    return this.#byId.get(id) ?? null;
  }

  ofDevice(deviceId: Uint8Array): readonly Member[] {
    return [...(this.#byDevice.get(toHex(deviceId)) ?? [])];
  }

  all(): readonly Member[] {
    return [...this.#byId.values()];
  }
}
