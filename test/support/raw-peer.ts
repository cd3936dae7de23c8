import { join } from "node:path";
import { UserError } from "../../src/modes/cli/errors.ts";
import { parseJoinLine } from "../../src/modes/cli/join-line.ts";
import { openHome } from "../../src/modes/peer/home.ts";
import { openOrCreateIdentity } from "../../src/modes/peer/identity.ts";
import { LiveNode } from "../../src/modes/peer/live-node.ts";
import { ownDeviceList, systemRandom } from "../../src/modes/peer/own-device.ts";
import { People } from "../../src/modes/peer/people.ts";
import { ServerLink } from "../../src/modes/peer/server-link.ts";
import { Switchboard } from "../../src/modes/peer/switchboard.ts";
import { UdpEndpoint } from "../../src/modes/peer/udp-endpoint.ts";
import type { SocketRoute } from "../../src/wire/traversal/inquiry.ts";
import type { Community } from "./community.ts";

export interface SentDatagram {
  readonly bytes: Uint8Array;
  readonly to: SocketRoute;
}

/** What becomes of a datagram on its way out. */
interface Tap {
  /** True for one that is taken off it. */
  divert: (datagram: SentDatagram) => boolean;
}

/** A whole peer inside this process; every UDP datagram that leaves it is on record. */
export class RawPeer implements AsyncDisposable {
  readonly node: LiveNode;
  readonly sent: readonly SentDatagram[];
  /** What its callbacks threw: defects. */
  readonly faults: readonly unknown[];
  readonly tap: Tap;
  /** Of its IPv4 socket. */
  readonly port: number;

  private constructor(
    node: LiveNode,
    endpoint: UdpEndpoint,
    sent: readonly SentDatagram[],
    faults: readonly unknown[],
    tap: Tap,
  ) {
    this.node = node;
    this.port = endpoint.sockets.find(({ family }) => family === 4)?.port ?? 0;
    this.tap = tap;
    this.sent = sent;
    this.faults = faults;
  }

  static async register({ folder, joinLine }: Pick<Community, "folder" | "joinLine">, name: string): Promise<RawPeer> {
    const { secure, nodes, key, invite } = parseJoinLine(joinLine);
    if (key === null) throw new UserError("usage", "a join line without a key");
    const home = openHome(join(folder, `${name}-inside`));
    const identity = openOrCreateIdentity(home, systemRandom);
    const deviceList = ownDeviceList(identity);
    const link = new ServerLink({ secure, nodes, key }, identity.keys);
    const signKey = identity.signing.publicKey;
    const password = `correct horse ${name}`;
    const me = await link.signIn({ kind: "register", name, password, label: name, signKey, deviceList, invite });
    const faults: unknown[] = [];
    const sent: SentDatagram[] = [];
    const endpoint = await UdpEndpoint.open((error) => faults.push(error));
    const tap: Tap = { divert: () => false };
    record(endpoint, sent, tap);
    const own = { identity, userId: me.userId, deviceId: me.deviceId, deviceList };
    const policy = { relayOnly: false, directOnly: false, requireVerified: false };
    const people = new People(home, key);
    const onFault = (error: unknown) => void faults.push(error);
    return new RawPeer(
      new LiveNode({ own, link, endpoint, people, policy, onFault, switchboard: new Switchboard() }),
      endpoint,
      sent,
      faults,
      tap,
    );
  }

  /** What went to this port, one packet each. */
  sentTo(port: number): readonly Uint8Array[] {
    return this.sent.filter(({ to }) => to.remote.port === port).map(({ bytes }) => bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node[Symbol.asyncDispose]();
  }
}

function record(endpoint: UdpEndpoint, sent: SentDatagram[], tap: Tap): void {
  const send = endpoint.send.bind(endpoint);
  endpoint.send = (bytes, to, segmentBytes) => {
    const all: SentDatagram[] = [];
    for (let at = 0; at < bytes.length; at += segmentBytes) all.push({ bytes: bytes.slice(at, at + segmentBytes), to });
    sent.push(...all);
    const left = all.filter((datagram) => !tap.divert(datagram));
    if (left.length === all.length) return send(bytes, to, segmentBytes);
    return left.every((datagram) => send(datagram.bytes, to, datagram.bytes.length));
  };
}
