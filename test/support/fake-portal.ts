import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { selfSigned } from "./certificate.ts";

export type PortalManner = "leads away" | "shows a page" | "says so";

const answers: Readonly<Record<PortalManner, string>> = {
  "leads away": "302 Found\r\nLocation: http://portal.hotel.example/login?from=you\r\nContent-Length: 0\r\n\r\n",
  "shows a page": "200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 14\r\n\r\n<h1>Hello</h1>",
  "says so": "511 Network Authentication Required\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n",
};

/** What a network does that wants people to sign in first: whatever is asked, and of whom, it answers itself. */
export class FakePortal implements AsyncDisposable {
  /** The first line of each request. */
  readonly asked: string[] = [];
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async open(manner: PortalManner, { tls = false, port = 0, ip = "127.0.0.1" } = {}): Promise<FakePortal> {
    const opened = Promise.withResolvers<number>();
    const greet = (socket: Socket): void => portal.#greet(socket, manner);
    const server = tls ? createTlsServer(selfSigned(), greet) : createServer(greet);
    server.on("tlsClientError", () => {}); // whoever does not like the certificate
    server.listen(port, ip, () => {
      const address = server.address();
      opened.resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
    const portal: FakePortal = new FakePortal(server, await opened.promise);
    return portal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    await promise;
  }

  #greet(socket: Socket, manner: PortalManner): void {
    this.#sockets.add(socket);
    socket.on("error", () => {}); // a close follows
    socket.on("close", () => this.#sockets.delete(socket));
    socket.once("data", (bytes) => {
      this.asked.push(bytes.toString("latin1").split("\r\n", 1)[0] ?? "");
      socket.end(`HTTP/1.1 ${answers[manner]}`);
    });
  }
}

/** As a program of its own, for another network: `bun test/support/fake-portal.ts IP PORT`. */
if (import.meta.main) {
  const [ip = "127.0.0.1", port = "80"] = process.argv.slice(2);
  await FakePortal.open("leads away", { ip, port: Number(port) });
  process.stdout.write("up\n");
}
