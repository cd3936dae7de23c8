import { connect, createServer, type Server, type Socket } from "node:net";

/** The way to a server on 127.0.0.1, which can break, or go silent as that of a network does which was left. */
export class Line implements AsyncDisposable {
  readonly port: number;
  /** Connections made so far. */
  opened = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** @param at the port by which it is entered; left out: any free one */
  static async to(port: number, at = 0): Promise<Line> {
    const started = Promise.withResolvers<number>();
    const server = createServer({ pauseOnConnect: true }, (socket) => line.#join(socket, port));
    server.listen(at, "127.0.0.1", () => {
      const address = server.address();
      started.resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
    const line: Line = new Line(server, await started.promise);
    return line;
  }

  /** Ends all connections; new ones may come. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Nothing goes through the connections there are any more, and neither end hears of it; new ones work. */
  freeze(): void {
    for (const socket of this.#sockets) socket.pause().removeAllListeners("data").removeAllListeners("close");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    await promise;
  }

  #join(near: Socket, port: number): void {
    this.opened++;
    const far = connect(port, "127.0.0.1");
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("data", (bytes) => other.write(bytes));
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    near.resume();
  }
}
