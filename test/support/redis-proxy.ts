import { connect, createServer, type Server, type Socket } from "node:net";

/** What the proxy does with what Redis answers; what is asked always goes through. */
export type Answers = "whole" | "late" | "garbage" | "nothing" | "half";

/** A piece of news of the right form, with nothing where its kind belongs. */
const NOTHING = ">3\r\n_\r\n_\r\n_\r\n";

/** How late. Milliseconds. */
const DELAY_MS = 5_000;

/** A way to a real Redis on which its answers come to harm. */
export class RedisProxy implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Answers on their way, in the order in which they came. */
  readonly #late = new Set<() => void>();
  #answers: Answers = "whole";

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async start(redisPort: number): Promise<RedisProxy> {
    const started = Promise.withResolvers<number>();
    const server = createServer((socket) => proxy.#join(socket, redisPort));
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      started.resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
    const proxy: RedisProxy = new RedisProxy(server, await started.promise);
    return proxy;
  }

  get answers(): Answers {
    return this.#answers;
  }

  /** What was late comes now. */
  set answers(answers: Answers) {
    this.#answers = answers;
    for (const send of this.#late) send();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    await promise;
  }

  #join(client: Socket, redisPort: number): void {
    const redis = connect(redisPort, "127.0.0.1");
    for (const [socket, other] of [
      [client, redis],
      [redis, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    client.on("data", (bytes) => redis.write(bytes));
    redis.on("data", (bytes) => this.#answer(client, Buffer.from(bytes)));
  }

  #answer(client: Socket, bytes: Buffer): void {
    switch (this.#answers) {
      case "whole":
        return void client.write(bytes);
      case "late":
        return this.#delay(() => void client.write(bytes));
      case "garbage":
        return void client.write(crypto.getRandomValues(Buffer.alloc(bytes.length)));
      case "nothing":
        return void client.write(NOTHING);
      case "half":
        client.write(bytes.subarray(0, bytes.length >> 1));
        client.destroySoon();
    }
  }

  #delay(send: () => void): void {
    const sendOnce = () => {
      if (this.#late.delete(sendOnce)) send();
    };
    this.#late.add(sendOnce);
    setTimeout(sendOnce, DELAY_MS).unref();
  }
}
