import { type Packet, readPcap } from "./pcap.ts";

/**
 * What goes over the network while it is held:
 * ```
 * await using capture = await Capture.start("udp", lab.inside("core"));
 * …
 * const packets = await capture.stop();
 * ```
 * Needs root and tcpdump.
 */
export class Capture implements AsyncDisposable {
  readonly #child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #pcap: Promise<Uint8Array>;
  readonly #listening = Promise.withResolvers<void>();
  readonly #told: Promise<void>;
  #stderr = "";

  private constructor(filter: string, inside: readonly string[]) {
    const options = ["-i", "any", "-n", "-s", "0", "-B", "65536", "-U", "--immediate-mode", "-w", "-"];
    this.#child = Bun.spawn([...inside, "tcpdump", ...options, filter], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.#pcap = this.#child.stdout.bytes();
    this.#told = this.#followErrors();
  }

  /** @param filter in the words of pcap-filter(7) @param inside words in front of the command */
  static async start(filter: string, inside: readonly string[] = []): Promise<Capture> {
    const capture = new Capture(filter, inside);
    await capture.#listening.promise;
    return capture;
  }

  /** Ends it. @returns every packet, each as often as it passed an interface @throws Error when some were not caught */
  async stop(): Promise<readonly Packet[]> {
    this.#child.kill("SIGINT");
    const [pcap] = await Promise.all([this.#pcap, this.#told]);
    if (!/^0 packets dropped by kernel/m.test(this.#stderr)) throw new Error(`tcpdump: ${this.#stderr}`);
    return readPcap(pcap);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }

  async #followErrors(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#child.stderr) {
      this.#stderr += decoder.decode(chunk, { stream: true });
      if (/listening on /.test(this.#stderr)) this.#listening.resolve();
    }
    this.#listening.reject(new Error(`tcpdump: ${this.#stderr}`));
  }
}
