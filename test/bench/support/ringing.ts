import { randomBytes } from "node:crypto";
import { toHex } from "../../../src/wire/bytes.ts";
import type { SignallingMessage } from "../../../src/wire/messages/signalling.ts";
import { purposes } from "../../../src/wire/messages/signalling.ts";
import type { BenchClient } from "./client.ts";

/** As long as a greeting with keys is once it is sealed. */
const PREVIEW = new Uint8Array(randomBytes(400));
/** And the first message of a session's handshake with its payload. */
const HANDSHAKE = new Uint8Array(randomBytes(200));
const VERSIONS = Uint8Array.of(1);

/** Lets a client ring, and accept whatever rings there. Takes its `onMessage`. */
export class Ringing {
  readonly client: BenchClient;
  /** Sees what is not about rings. */
  onOther: (message: SignallingMessage) => void = () => undefined;
  readonly #open = new Map<string, PromiseWithResolvers<void>>();

  constructor(client: BenchClient) {
    this.client = client;
    client.onMessage = (message) => this.#take(message);
  }

  /** Resolves with the session once the other end has accepted. @throws Error with the code of the refusal */
  async ring({ client }: Ringing): Promise<Uint8Array> {
    const session = new Uint8Array(randomBytes(16));
    const accepted = Promise.withResolvers<void>();
    this.#open.set(toHex(session), accepted);
    const { name, deviceId } = client.resident;
    const previews = [{ device: deviceId, sealed: PREVIEW }];
    this.client.tell({ kind: "ring", session, name, purpose: purposes.chat, previews });
    await accepted.promise;
    return session;
  }

  hangUp(session: Uint8Array): void {
    this.client.tell({ kind: "hangUp", session, path: "" });
  }

  #take(message: SignallingMessage): void {
    if (message.kind === "incoming") {
      const { session } = message;
      this.client.tell({ kind: "accept", session, versions: VERSIONS, handshake: HANDSHAKE, hidden: false });
    } else if (message.kind === "accepted") this.#close(message.session)?.resolve();
    else if (message.kind === "refused") this.#close(message.session)?.reject(new Error(message.code));
    else this.onOther(message);
  }

  #close(session: Uint8Array): PromiseWithResolvers<void> | undefined {
    const key = toHex(session);
    const waiting = this.#open.get(key);
    this.#open.delete(key);
    return waiting;
  }
}

/** Neighbours in a row: the first rings the second, the third the fourth. */
export function inPairs(clients: readonly BenchClient[]): readonly (readonly [Ringing, Ringing])[] {
  const desks = clients.map((client) => new Ringing(client));
  return desks.flatMap((desk, index) => {
    const other = desks[index + 1];
    return index % 2 === 0 && other !== undefined ? [[desk, other] as const] : [];
  });
}
