import type { Agreed, SessionTerms } from "../../wire/rendezvous/session-handshake.ts";
import type { ServerRoute } from "./server-route.ts";
import type { SessionMessage } from "./switchboard.ts";
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
  /** What the server says of the other end before the session listens itself. */
  readonly early: EarlyNews;
  /** When no session is to be made of it after all. */
  readonly abandon: () => void;
}

/** Where the server saw the other end last, and whether it is gone: kept until somebody is there to hear of it. */
export class EarlyNews {
  readonly #newest = new Map<"observed" | "gone", SessionMessage>();

  note(message: SessionMessage): void {
    if (message.kind === "observed" || message.kind === "gone") this.#newest.set(message.kind, message);
  }

  tell(sink: (message: SessionMessage) => void): void {
    for (const message of this.#newest.values()) sink(message);
    this.#newest.clear();
  }
}
