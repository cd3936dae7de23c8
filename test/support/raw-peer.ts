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

/** A whole peer inside this process; every UDP datagram that leaves it is on record. */
export class RawPeer implements AsyncDisposable {
  readonly node: LiveNode;
  readonly sent: readonly SentDatagram[];
  /** What its callbacks threw: defects. */
  readonly faults: readonly unknown[];

  private constructor(node: LiveNode, sent: readonly SentDatagram[], faults: readonly unknown[]) {
    this.node = node;
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
    record(endpoint, sent);
    const own = { identity, userId: me.userId, deviceId: me.deviceId, deviceList };
    const policy = { relayOnly: false, directOnly: false, requireVerified: false };
    const people = new People(home, key);
    const onFault = (error: unknown) => void faults.push(error);
    return new RawPeer(
      new LiveNode({ own, link, endpoint, people, policy, onFault, switchboard: new Switchboard() }),
      sent,
      faults,
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

function record(endpoint: UdpEndpoint, sent: SentDatagram[]): void {
  const send = endpoint.send.bind(endpoint);
  endpoint.send = (bytes, to, segmentBytes) => {
    for (let at = 0; at < bytes.length; at += segmentBytes)
      sent.push({ bytes: bytes.slice(at, at + segmentBytes), to });
    return send(bytes, to, segmentBytes);
  };
}
