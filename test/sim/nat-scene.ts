import type { LinkOptions } from "./link.ts";
import { NatMeeting } from "./nat-meeting.ts";
import { NatProgram } from "./nat-program.ts";
import { NatServer } from "./nat-server.ts";
import { type NatSide, type Neighbourhood, NatWorld, type SideOptions } from "./nat-world.ts";
import { SimNetwork } from "./network.ts";
import type { Seeded } from "./seeded.ts";
import { Transfer } from "./transfer.ts";

export interface SceneOptions {
  readonly seed: number;
  readonly a: SideOptions;
  readonly b: SideOptions | Neighbourhood;
  /** All homes have the same addresses inside. */
  readonly overlaps?: boolean;
  /** The local port of both; any when left out. */
  readonly port?: number;
}

export interface Scene {
  readonly network: SimNetwork;
  readonly world: NatWorld;
  readonly server: NatServer;
  readonly sideA: NatSide;
  readonly sideB: NatSide;
  readonly meeting: NatMeeting;
  /** Two more who meet there. */
  readonly alsoMeet: (a: NatSide, b: NatSide) => NatMeeting;
}

/** From sign-in to the session, within which the server is asked where it sees the sockets. Milliseconds. */
const READY_MS = 2_000;

/** Two people somewhere, who sign in to a server and meet there; the session has just begun. */
export function meet({ seed, a, b, overlaps = false, port }: SceneOptions): Scene {
  const network = new SimNetwork(seed);
  const world = new NatWorld(network, overlaps);
  const server = new NatServer(world);
  const sideA = world.addSide(a);
  const sideB = typeof b === "string" ? world.addNeighbour(sideA, b) : world.addSide(b);
  const alsoMeet = (first: NatSide, second: NatSide): NatMeeting => {
    const [ana, ben] = [new NatProgram(network, first, server, port), new NatProgram(network, second, server, port)];
    network.runFor(READY_MS);
    return new NatMeeting(network, server, ana, ben);
  };
  return { network, world, server, sideA, sideB, meeting: alsoMeet(sideA, sideB), alsoMeet };
}

/** Both say something at once, and send something longer. @returns whether all of it has come, byte for byte */
export function talk({ meeting, network }: Pick<Scene, "meeting" | "network">, bytes: number): () => boolean {
  const { a, b } = meeting.pair;
  const transfers = [
    { from: a, to: b },
    { from: b, to: a },
  ].map(({ from, to }) => {
    const chat = new Transfer(from, 2, network.random.bytes(300), false);
    const bulk = new Transfer(from, from.session.openStream("bulk"), network.random.bytes(bytes));
    return () => to.inbox(bulk.stream).isFinished && bulk.hasArrived(to) && chat.hasArrived(to);
  });
  return () => transfers.every((hasArrived) => hasArrived());
}

/** What a side sent to addresses that never said anything: to each of them. */
export function unanswered({ host }: NatSide): readonly number[] {
  return [...host.correspondence.values()].flatMap(({ sent, received }) => (received === 0 ? [sent] : []));
}

/** A line as people have them: every third is good, the others lose up to 10 %, double, and let datagrams overtake each other. */
export function someLine(random: Seeded): LinkOptions {
  const delayMs = 2 + random.fraction() * 60;
  if (random.chance(0.3)) return { delayMs, jitterMs: random.fraction() * 2 };
  return {
    delayMs,
    jitterMs: random.fraction() * 15,
    loss: random.fraction() * 0.1,
    duplicate: random.fraction() * 0.02,
    reorder: random.fraction() * 0.02,
  };
}
