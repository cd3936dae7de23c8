import type { Agreed, SessionTerms } from "../../wire/rendezvous/session-handshake.ts";
import type { ServerRoute } from "./server-route.ts";
import type { OfferedDevice } from "./trust.ts";

/** Two devices that have agreed on keys: what a session is made from. */
export interface Established {
  readonly name: string;
  readonly terms: SessionTerms;
  readonly agreed: Agreed;
  /** Of the Noise handshake, hence whoever accepted. */
  readonly isInitiator: boolean;
  readonly localIndex: number;
  readonly device: OfferedDevice;
  /** Already carries packets both ways; nobody listens yet. */
  readonly route: ServerRoute;
}
