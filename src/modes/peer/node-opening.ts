import type { KeyPair } from "../../wire/noise/primitives.ts";
import type { ServerNode } from "../cli/join-line.ts";
import { ChannelSocket } from "./channel-socket.ts";
import type { Opening } from "./first-to-open.ts";
import { explained, type ServerAddress, urlOf } from "./server-address.ts";

/** A channel to one node of a server, on its way. */
export class NodeOpening implements Opening {
  readonly node: ServerNode;
  readonly socket: ChannelSocket;
  readonly #server: ServerAddress;
  readonly #looksAround: boolean;
  #isClosed = false;

  constructor(server: ServerAddress, node: ServerNode, keys: KeyPair, looksAround: boolean) {
    this.node = node;
    this.#server = server;
    this.#looksAround = looksAround;
    this.socket = new ChannelSocket(urlOf(server.secure, node, "ws", "/v1/channel"), keys, server.key);
  }

  /** @throws UserError why it did not come about */
  async open(): Promise<void> {
    try {
      await this.socket.open();
    } catch (error) {
      throw this.#isClosed ? error : await explained(error, this.#server, this.node, this.#looksAround);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.socket.close();
  }
}
