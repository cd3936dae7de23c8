import { rmSync } from "node:fs";
import type { AccountStore } from "../../store/accounts.ts";
import type { SharedStores } from "../../store/shared.ts";
import { toHex, utf8 } from "../../wire/bytes.ts";
import { equalSecrets } from "../../wire/noise/primitives.ts";
import type { Lifecycle } from "../runtime/lifecycle.ts";
import type { Log } from "../runtime/log.ts";
import { replacePrivateFile } from "../runtime/private-file.ts";
import { type AdminAnswer, type AdminQuestion, answerAdmin, parseQuestion } from "./admin.ts";
import type { JoinPlace } from "./advertise.ts";
import { clusterFigures } from "./cluster-figures.ts";
import type { DataFolder } from "./data-folder.ts";
import { formatPlate } from "./door-plate.ts";
import type { ServerKeys } from "./key-files.ts";
import { refusalFrom } from "./refusal.ts";
import type { Services } from "./services.ts";
import { figuresOf } from "./status.ts";
import { systemRandom } from "./system-random.ts";

export interface DoorOptions {
  readonly data: DataFolder;
  readonly store: AccountStore;
  readonly shared: Pick<SharedStores, "bus" | "presence">;
  readonly keys: ServerKeys;
  readonly place: JoinPlace;
  readonly services: Services;
  readonly log: Log;
}

const MAX_BODY_BYTES = 4_096;

/** Opens the port and writes `admin.json`; both go with `lifecycle`. @throws UserError `config` */
export async function openAdminDoor(options: DoorOptions, lifecycle: Lifecycle): Promise<void> {
  const { data } = options;
  const token = toHex(systemRandom(32));
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    development: false,
    maxRequestBodySize: MAX_BODY_BYTES,
    fetch: (request) => answer(request, token, options),
    error: () => new Response(null, { status: 500 }),
  });
  lifecycle.add("admin", async () => {
    rmSync(data.admin, { force: true });
    await server.stop(true);
  });
  replacePrivateFile(data.admin, formatPlate({ port: server.port ?? 0, token }));
}

/** A browser's pages cannot ask: they lack the token, and nothing answers their origin. */
async function answer(request: Request, token: string, options: DoorOptions): Promise<Response> {
  const given = request.headers.get("authorization") ?? "";
  if (!equalSecrets(utf8(given), utf8(`Bearer ${token}`)) || request.headers.has("origin"))
    return new Response(null, { status: 403 });
  const question = request.method === "POST" ? await read(request) : null;
  if (question === null) return new Response(null, { status: 400 });
  return Response.json(await carriedOut(question, options));
}

async function read(request: Request): Promise<AdminQuestion | null> {
  try {
    return parseQuestion(await request.json());
  } catch {
    return null;
  }
}

async function carriedOut(
  question: AdminQuestion,
  { store, shared, keys, place, services, log }: DoorOptions,
): Promise<AdminAnswer> {
  const { clock, revocations, members } = services;
  const isOnline = (name: string) => members.all().some(({ identity }) => identity.name === name);
  const onRevoked = (deviceIds: readonly Uint8Array[]) => revocations.note(deviceIds);
  const figures = async () => ({ ...figuresOf(services), cluster: await clusterFigures(services, shared) });
  const onTrouble = (error: unknown) => log.error("store-trouble", { error: String(error) });
  const told = { isOnline, presence: shared.presence, onRevoked, figures, onTrouble };
  try {
    return await answerAdmin(question, { store, keys, place, clock, random: systemRandom, ...told });
  } catch (error) {
    const refusal = refusalFrom(error);
    if (refusal !== null) return { kind: "refused", code: refusal.code, message: refusal.message };
    log.error("admin-failed", { verb: question.kind, error: String(error) });
    return { kind: "refused", code: "internal", message: "the server could not do it; its log says why" };
  }
}
