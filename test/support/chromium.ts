import { temporaryFolder } from "./folder.ts";

/** Null where there is none; the Debian package is called the same. */
export const chromium = Bun.which("chromium");

/** What the DevTools protocol gives back, and tells unasked. */
type Fields = Record<string, unknown>;
type Call = (method: string, params?: Fields) => Promise<Fields>;

export interface AccessibleNode {
  readonly role: string;
  readonly name: string;
}

/** One page of a headless Chromium, driven over its DevTools protocol. */
export class Tab implements AsyncDisposable {
  /** What the browser complained of, such as a policy that was broken. */
  readonly complaints: string[] = [];
  readonly #call: Call;
  readonly #end: () => Promise<void>;

  private constructor(socket: WebSocket, end: () => Promise<void>) {
    const asked = new Map<number, (answer: Fields) => void>();
    let last = 0;
    let session: unknown;
    this.#end = end;
    this.#call = (method, params = {}) =>
      new Promise((resolve) => {
        asked.set(++last, resolve);
        socket.send(
          JSON.stringify({ id: last, method, params, ...(session === undefined ? {} : { sessionId: session }) }),
        );
      });
    socket.addEventListener("message", ({ data }) => {
      const { id, method, params, result, error } = JSON.parse(String(data)) as Fields;
      if (error !== undefined) this.complaints.push(JSON.stringify(error));
      if (method === "Log.entryAdded") this.complaints.push(textOf(params));
      if (method === "Target.attachedToTarget") session = (params as { sessionId: string }).sessionId;
      if (typeof id === "number") asked.get(id)?.((result ?? {}) as Fields);
    });
  }

  static async open(): Promise<Tab> {
    const folder = temporaryFolder();
    const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0"];
    const command = [chromium ?? "chromium", ...flags, `--user-data-dir=${folder.at("profile")}`, "about:blank"];
    const child = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
    const end = async () => {
      await child.exited;
      folder[Symbol.dispose]();
    };
    const socket = new WebSocket(await addressIn(child.stderr));
    await new Promise((resolve) => socket.addEventListener("open", resolve, { once: true }));
    const tab = new Tab(socket, end);
    const { targetId } = await tab.#call("Target.createTarget", { url: "about:blank" });
    await tab.#call("Target.attachToTarget", { targetId, flatten: true });
    await tab.#call("Log.enable");
    return tab;
  }

  /** Resolves when all of the page is there. */
  async visit(url: string): Promise<void> {
    await this.#call("Page.navigate", { url });
    await this.evaluate(
      "new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', () => done()))",
    );
  }

  /** @returns the value, as JSON carries it */
  async evaluate(expression: string): Promise<unknown> {
    const { result } = await this.#call("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    return (result as Fields | undefined)?.["value"];
  }

  async prefer(scheme: "light" | "dark", width: number): Promise<void> {
    const features = [{ name: "prefers-color-scheme", value: scheme }];
    await this.#call("Emulation.setEmulatedMedia", { features });
    await this.#call("Emulation.setDeviceMetricsOverride", { width, height: 800, deviceScaleFactor: 1, mobile: false });
  }

  /** What a screen reader is told, in reading order. */
  async accessible(): Promise<readonly AccessibleNode[]> {
    const { nodes } = await this.#call("Accessibility.getFullAXTree");
    return (nodes as readonly Fields[])
      .filter(({ ignored }) => ignored !== true)
      .map(({ role, name }) => ({ role: valueOf(role), name: valueOf(name) }));
  }

  /** Asked to, it takes its helpers along. */
  async [Symbol.asyncDispose](): Promise<void> {
    void this.#call("Browser.close");
    await this.#end();
  }
}

function textOf(params: unknown): string {
  const { entry } = params as { entry: { text: string } };
  return entry.text;
}

function valueOf(property: unknown): string {
  const { value } = (property ?? {}) as Fields;
  return typeof value === "string" ? value : "";
}

async function addressIn(stderr: ReadableStream<Uint8Array>): Promise<string> {
  let said = "";
  const decoder = new TextDecoder();
  for await (const chunk of stderr) {
    said += decoder.decode(chunk, { stream: true });
    const address = /DevTools listening on (\S+)/.exec(said)?.[1];
    if (address !== undefined) return address;
  }
  throw new Error(`chromium ended: ${said}`);
}
