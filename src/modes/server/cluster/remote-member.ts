import { formatIp, type UdpAddress } from "../../../wire/address.ts";
import { fromHex, toHex } from "../../../wire/bytes.ts";
import type { ErrorCode } from "../../../wire/errors.ts";
import type { MemberRecord } from "../../../wire/messages/nodes.ts";
import { signalling, type SignallingMessage } from "../../../wire/messages/signalling.ts";
import { endpointsOf, type Member, type Message } from "../members.ts";
import type { Identity } from "../tokens.ts";
import type { NodeLink } from "./node-link.ts";

/** A channel that another node holds, made anew for each message about it: compare the ids. */
export class RemoteMember implements Member {
  readonly id: string;
  readonly identity: Identity;
  readonly nodeId: string;
  readonly ip = "";
  readonly observed: readonly UdpAddress[];
  readonly #link: NodeLink;
  readonly #connection: Uint8Array;

  constructor(
    link: NodeLink,
    nodeId: string,
    connection: Uint8Array,
    identity: Identity,
    observed: readonly UdpAddress[],
  ) {
    this.#link = link;
    this.#connection = connection;
    this.id = toHex(connection);
    this.nodeId = nodeId;
    this.identity = identity;
    this.observed = observed;
  }

  send(message: SignallingMessage): void {
    void this.#link.send(this.nodeId, { kind: "deliver", to: this.#connection, message: signalling.encode(message) });
  }

  ring(message: Message<"incoming">, asker: Member, lost: () => void): void {
    const encoded = signalling.encode(message);
    const { deviceId: device } = this.identity;
    const ringing = { to: this.#connection, device, asker: recordOf(asker), message: encoded };
    const sent = this.#link.send(this.nodeId, { kind: "ringing", ...ringing });
    void sent.then((delivery) => (delivery === "heard" ? undefined : lost()));
  }

  /** Only its own node ends a channel: revocations reach every node. */
  end(_code: ErrorCode, _reconnectMs: number): never {
    throw new Error("a channel of another node is not ended from here");
  }
}

/** As another node sees it. */
export function recordOf({ id, identity, observed }: Member): MemberRecord {
  const { userId, name, deviceId, deviceKey } = identity;
  return { connection: connectionOf(id), userId, name, deviceId, deviceKey, observed: endpointsOf(observed) };
}

export function memberOf(link: NodeLink, nodeId: string, record: MemberRecord): RemoteMember {
  const { connection, userId, name, deviceId, deviceKey, observed } = record;
  const identity = { userId, name, deviceId, deviceKey };
  const addresses = observed.map(({ address, port }) => ({ ip: formatIp(address), port }));
  return new RemoteMember(link, nodeId, connection, identity, addresses);
}

export function connectionOf(memberId: string): Uint8Array {
  return fromHex(memberId) ?? new Uint8Array(16);
}
