import { LiveNode, type NodePolicy } from "../../src/modes/peer/live-node.ts";
import { homeAt } from "../../src/modes/peer/home.ts";
import { type OwnDevice, ownDeviceList, systemRandom } from "../../src/modes/peer/own-device.ts";
import type { Incoming, Listening } from "../../src/modes/peer/peer-node.ts";
import type { PeerSession } from "../../src/modes/peer/peer-session.ts";
import { People } from "../../src/modes/peer/people.ts";
import { ServerLink } from "../../src/modes/peer/server-link.ts";
import { Switchboard } from "../../src/modes/peer/switchboard.ts";
import { UdpEndpoint } from "../../src/modes/peer/udp-endpoint.ts";
import { KeyPair, SigningKeyPair } from "../../src/wire/noise/primitives.ts";
import { PASSWORD, Stage } from "../e2e/server-stage.ts";
import { temporaryFolder } from "./folder.ts";

export interface NeighbourOptions extends Partial<NodePolicy> {
  /** Where the server is reached, if not at its own port. */
  readonly port?: number;
}

/** A server and people who know it, all on real sockets in this process. */
export class Street implements AsyncDisposable {
  readonly stage: Stage;
  readonly #all = new AsyncDisposableStack();

  private constructor(stage: Stage) {
    this.stage = this.#all.use(stage);
  }

  static async open(): Promise<Street> {
    return new Street(await Stage.open());
  }

  async moveIn(name: string, options: NeighbourOptions = {}): Promise<Neighbour> {
    return this.#all.use(await Neighbour.moveIn(this.stage, name, options));
  }

  /** Two of them; the second one listens. */
  async pair(options: NeighbourOptions = {}): Promise<[Neighbour, Neighbour]> {
    const [ana, ben] = [await this.moveIn("ana", options), await this.moveIn("ben", options)];
    await ben.listen();
    return [ana, ben];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#all.disposeAsync();
  }
}

/** Somebody with all that the program has at run time, behind one command line. */
export class Neighbour implements AsyncDisposable {
  readonly name: string;
  readonly node: LiveNode;
  readonly link: ServerLink;
  readonly switchboard: Switchboard;
  readonly people: People;
  readonly own: OwnDevice;
  readonly peopleFile: string;
  /** What was reported as a defect. */
  readonly faults: unknown[];
  readonly #folder: Disposable;
  readonly #rung: Incoming[] = [];
  #onRung: (() => void) | null = null;

  private constructor(
    parts: Omit<ConstructorParameters<typeof LiveNode>[0], "onFault">,
    folder: Disposable,
    peopleFile: string,
  ) {
    const faults: unknown[] = [];
    this.node = new LiveNode({ ...parts, onFault: (error) => void faults.push(error) });
    this.faults = faults;
    this.name = parts.link.me.name;
    this.link = parts.link;
    this.switchboard = parts.switchboard;
    this.people = parts.people;
    this.own = parts.own;
    this.peopleFile = peopleFile;
    this.#folder = folder;
  }

  /** Registers with the server of `stage`. */
  static async moveIn(stage: Stage, name: string, options: NeighbourOptions = {}): Promise<Neighbour> {
    const { port = stage.port, relayOnly = false, directOnly = false, requireVerified = false } = options;
    const identity = { keys: KeyPair.generate(systemRandom), signing: SigningKeyPair.generate(systemRandom) };
    const nodes = [{ host: "127.0.0.1", port }];
    const link = new ServerLink({ secure: false, nodes, key: stage.serverKey }, identity.keys);
    const deviceList = ownDeviceList(identity);
    const signKey = identity.signing.publicKey;
    const { userId, deviceId } = await link.signIn({
      kind: "register",
      name,
      password: PASSWORD,
      label: name,
      signKey,
      deviceList,
      invite: stage.invite,
    });
    const folder = temporaryFolder();
    const home = homeAt(folder.path);
    const ignore = (): void => undefined;
    const endpoint = relayOnly ? UdpEndpoint.none(ignore) : await UdpEndpoint.open(ignore);
    const parts = {
      own: { identity, userId, deviceId, deviceList },
      link,
      endpoint,
      people: new People(home, link.serverKey),
      policy: { relayOnly, directOnly, requireVerified },
      switchboard: new Switchboard(),
    };
    return new Neighbour(parts, folder, home.people);
  }

  /** Answers everything, for anybody; what rings waits in order. */
  async listen(changes: Partial<Listening> = {}): Promise<void> {
    await this.node.listen({
      answers: ["chat", "files"],
      people: [],
      rank: "attended",
      onIncoming: (incoming) => {
        this.#rung.push(incoming);
        this.#onRung?.();
      },
      ...changes,
    });
    await this.link.request({ kind: "listDevices" });
  }

  async rung(): Promise<Incoming> {
    for (;;) {
      const incoming = this.#rung.shift();
      if (incoming !== undefined) return incoming;
      await new Promise<void>((resolve) => (this.#onRung = resolve));
    }
  }

  /** A session of both, which `other` accepted. */
  async chatWith(other: Neighbour): Promise<readonly [PeerSession, PeerSession]> {
    const asked = this.node.ask(other.name, { purpose: "chat", waitMs: 10_000 });
    const accepted = (await other.rung()).accept();
    return Promise.all([asked, accepted]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}
