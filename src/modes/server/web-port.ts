import type { Server } from "bun";
import type { SocketData } from "./sockets.ts";
import type { TlsPair } from "./tls.ts";

/** @param port 0: any free one. @param tls null: without TLS */
export type OpenServer = (port: number, tls: TlsPair | null) => Server<SocketData>;

/**
 * One TCP port over the life of several certificates. The runtime reads a certificate only when a port is opened (`reload` passes a new one over
 * in silence), so another one means another server in the same place: the one before hears no newcomers any more and keeps whom it
 * has. In between nobody listens for less than a millisecond; who knocks just then is turned away, and comes back as after any such refusal.
 */
export class WebPort {
  readonly port: number;
  readonly #open: OpenServer;
  #current: Server<SocketData>;
  /** With connections still open, under certificates of before. */
  readonly #retired = new Set<Server<SocketData>>();

  /** @throws Error of the system */
  constructor(port: number, tls: TlsPair | null, open: OpenServer) {
    this.#open = open;
    this.#current = open(port, tls);
    this.port = this.#current.port ?? port;
  }

  /** Newcomers see this certificate from now on. @throws Error of the system; then nobody can enter until a later call succeeds */
  renew(tls: TlsPair): void {
    this.#retire(this.#current);
    this.#current = this.#open(this.port, tls);
  }

  /** No newcomers from now on; resolves when all connections are closed, which `force` does here. */
  async stop(force = false): Promise<void> {
    await Promise.all([this.#current, ...this.#retired].map((server) => server.stop(force)));
  }

  #retire(server: Server<SocketData>): void {
    if (this.#retired.has(server)) return;
    this.#retired.add(server);
    void server.stop().finally(() => this.#retired.delete(server));
  }
}
