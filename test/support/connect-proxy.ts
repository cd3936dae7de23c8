import { connect, createServer, type Server, type Socket } from "node:net";

export interface ConnectProxyOptions {
  /** NAME:PASSWORD that it wants. */
  readonly credentials?: string;
  /** What it answers to every request for a tunnel, in place of making one. */
  readonly status?: number;
}

/**
 * An HTTP proxy that makes tunnels and nothing else, RFC 9110 §9.3.6. It knows the way to every machine: whatever the name, it is
 * 127.0.0.1. Who went round it would find nobody of these names.
 */
export class ConnectProxy implements AsyncDisposable {
  /** HOST:PORT of each tunnel that was asked for, made or not. */
  readonly asked: string[] = [];
  /** First lines of what was no such request. */
  readonly other: string[] = [];
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async open(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
    const opened = Promise.withResolvers<number>();
    const server = createServer((socket) => proxy.#greet(socket, options));
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      opened.resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
    const proxy: ConnectProxy = new ConnectProxy(server, await opened.promise);
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    await promise;
  }

  #greet(near: Socket, options: ConnectProxyOptions): void {
    this.#keep(near);
    near.once("data", (bytes) => {
      const head = bytes.toString("latin1");
      const [, place] = /^CONNECT (\S+) HTTP\/1\.1\r\n/.exec(head) ?? [];
      const status = place === undefined ? 405 : statusOf(head, options);
      if (place === undefined) this.other.push(head.split("\r\n", 1)[0] ?? "");
      else this.asked.push(place);
      if (status === 200 && place !== undefined) this.#tunnel(near, place);
      else near.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
    });
  }

  #tunnel(near: Socket, place: string): void {
    const far = connect(Number(place.slice(place.lastIndexOf(":") + 1)), "127.0.0.1", () => {
      near.write("HTTP/1.1 200 Connection established\r\n\r\n");
      near.pipe(far).pipe(near);
    });
    this.#keep(far);
    far.on("error", () => near.end("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"));
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {}); // a close follows
    socket.on("close", () => this.#sockets.delete(socket));
  }
}

function statusOf(head: string, { credentials, status = 200 }: ConnectProxyOptions): number {
  const [, given] = /\r\nProxy-Authorization: Basic (\S+)\r\n/i.exec(head) ?? [];
  return credentials === undefined || given === btoa(credentials) ? status : 407;
}
