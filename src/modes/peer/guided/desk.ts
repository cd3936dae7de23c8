import type { Random } from "../../../wire/core.ts";
import type { PeerContext } from "../../cli/context.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { PathRules } from "../chat/typed-paths.ts";
import type { PeerNode } from "../peer-node.ts";
import type { OfferPlaces } from "../transfer/inbox.ts";
import type { ReceivingFolder } from "../transfer/receiving-folder.ts";
import type { Doorbell } from "./doorbell.ts";
import type { Roster } from "./roster.ts";

/** What a signed-in person sits at: everything that the menu and what it leads to work with. */
export interface Desk {
  readonly context: PeerContext;
  readonly node: PeerNode;
  readonly roster: Roster;
  readonly doorbell: Doorbell;
  /** Where files land. */
  readonly folder: ReceivingFolder;
  readonly places: OfferPlaces;
  readonly paths: PathRules;
  readonly clock: Clock;
  readonly random: Random;
  /** Unix time. Milliseconds. */
  readonly wallMs: () => number;
  /** One's own device key, X25519. */
  readonly ownKey: Uint8Array;
  /** What to tell friends. */
  readonly joinLine: string;
  /** The server of all this runs as long as this program. */
  readonly isServerHere: boolean;
  /** Aborted when the program is to end: by a signal, or because the server will not have this device any more. */
  readonly signal: AbortSignal;
}
