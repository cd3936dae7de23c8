import { request } from "node:http";
import { text } from "node:stream/consumers";
import type { MigrateCommand, ServeCommand, ServerCommand, ServerKeyCommand } from "../cli/command.ts";
import type { ServerContext } from "../cli/context.ts";
import { UserError } from "../cli/errors.ts";
import { readPrivateFile } from "../runtime/private-file.ts";
import { type AdminAnswer, type AdminQuestion, answerAdmin, parseAnswer } from "./admin.ts";
import { advertisedPlace, type JoinPlace } from "./advertise.ts";
import { type DataFolder, lockDataFolder, existingDataFolder } from "./data-folder.ts";
import { type DoorPlate, parsePlate } from "./door-plate.ts";
import { Generation } from "./generation.ts";
import { openServerKeys } from "./key-files.ts";
import { explained, openAccounts } from "./opened-store.ts";
import { refusalFrom } from "./refusal.ts";
import { systemRandom } from "./system-random.ts";

export type AdminCommand = Exclude<ServerCommand, ServeCommand | ServerKeyCommand | MigrateCommand>;
/** One question, one answer. @throws UserError */
type Ask = (question: AdminQuestion) => Promise<AdminAnswer>;

const PATIENCE_MS = 10_000;
const DEFAULT_PORT = 7_420;
/** Who is there when no server runs. */
const nobody = {
  isOnline: () => false,
  presence: null,
  onRevoked: () => {},
  figures: async () => null,
  onTrouble: () => {},
};

/** A word with the running server, or with its data folder when none runs. @returns 0. @throws UserError */
export async function runAdminCommand(command: AdminCommand, context: ServerContext): Promise<number> {
  const data = existingDataFolder(context.data);
  const plate = parsePlate(readPrivateFile(data.admin, "secret"));
  const running: Ask | null = plate === null ? null : await reach(plate);
  if (running === null) await withStore(data, context, (ask) => carryOut(command, context, ask));
  else await carryOut(command, context, running);
  return 0;
}

async function carryOut(command: AdminCommand, context: ServerContext, ask: Ask): Promise<void> {
  const { output } = context;
  switch (command.kind) {
    case "server-invite":
      return output.event({ event: "invite", join: lineIn(await ask({ ...command, kind: "invite" })) });
    case "server-users":
      return listUsers(context, ask);
    case "server-status": {
      const answer = await ask({ kind: "status" });
      if (answer.kind !== "status") throw nonsense();
      return output.event({ event: "status", ...answer.status });
    }
    case "server-block":
      return output.note(`${command.name} is shut out: ${await revoked(ask, "block", command.name)} devices revoked`);
    case "server-unblock":
      await revoked(ask, "unblock", command.name);
      return output.note(`${command.name} may sign in again, with the password`);
    case "server-revoke": {
      const devices = await revoked(ask, "revoke", command.name);
      return output.note(`${command.name} has to sign in again: ${devices} devices revoked`);
    }
    case "server-passwd":
    default: {
      const { name } = command;
      output.event({ event: "invite", join: lineIn(await ask({ kind: "passwd", name })) });
      return output.note(`${name} sets a new password with: p2p login ${name} --server LINE; once, within a day`);
    }
  }
}

async function listUsers({ output }: ServerContext, ask: Ask): Promise<void> {
  for (let after: string | null = ""; after !== null;) {
    const answer: AdminAnswer = await ask({ kind: "users", after });
    if (answer.kind !== "users") throw nonsense();
    for (const { name, online, blocked } of answer.users)
      output.event({ event: "user", name, online, trust: "none", ...(blocked ? { blocked } : {}) });
    after = answer.more ? (answer.users.at(-1)?.name ?? null) : null;
  }
}

/** @returns how many devices were revoked. @throws UserError */
async function revoked(ask: Ask, kind: "revoke" | "block" | "unblock", name: string): Promise<number> {
  const answer = await ask({ kind, name });
  if (answer.kind !== "revoked") throw nonsense();
  return answer.devices;
}

/** @returns null when nobody answers: the file was left behind by a server that died */
async function reach(plate: DoorPlate): Promise<Ask | null> {
  const ask: Ask = async (question) => {
    const answer = parseAnswer(JSON.parse(await post(plate, JSON.stringify(question))));
    if (answer === null) throw nonsense();
    if (answer.kind === "refused") throw new UserError(answer.code, answer.message, { side: "server" });
    return answer;
  };
  try {
    await ask({ kind: "users", after: "\u{10ffff}" });
    return ask;
  } catch {
    return null;
  }
}

/** Not `fetch`: that one would ask a proxy of the environment for a port on this machine. @throws Error unless the answer is 200 */
function post({ port, token }: DoorPlate, body: string): Promise<string> {
  const headers = { Authorization: `Bearer ${token}` };
  const options = { host: "127.0.0.1", port, method: "POST", headers, signal: AbortSignal.timeout(PATIENCE_MS) };
  return new Promise((resolve, reject) => {
    const outgoing = request(options, (response) => {
      const status = response.statusCode ?? 0;
      if (status === 200) text(response).then(resolve, reject);
      else reject(new Error(`the server answered with status ${status}`));
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

async function withStore(data: DataFolder, context: ServerContext, work: (ask: Ask) => Promise<void>): Promise<void> {
  const lock = lockDataFolder(data);
  try {
    const keys = openServerKeys(data, systemRandom);
    await using store = await openAccounts(data, context.settings, nobody.onTrouble);
    const generation = new Generation(store, data.generation);
    const clock = { unixMs: () => Date.now() };
    await explained(() => generation.start(clock));
    const place = await placeIn(context);
    const options = {
      store,
      keys,
      place,
      clock,
      random: systemRandom,
      ...nobody,
    };
    await explained(() => work((question) => answered(() => answerAdmin(question, options))));
    await explained(() => generation.raise());
  } finally {
    lock.release();
  }
}

/** What the server's own settings say of where it is found. */
function placeIn({ settings }: ServerContext): Promise<JoinPlace> {
  const [cert, key] = [settings.get("tls-cert"), settings.get("tls-key")];
  const tls = cert === null || key === null ? null : { cert, key };
  const given = settings.get("listen");
  const listen = given.length > 0 ? given : [{ host: null, port: DEFAULT_PORT }];
  const ports = listen.map(({ port }) => port || DEFAULT_PORT);
  return advertisedPlace({ advertise: settings.get("advertise"), tls, listen }, ports);
}

async function answered(work: () => Promise<AdminAnswer>): Promise<AdminAnswer> {
  try {
    return await work();
  } catch (error) {
    const refusal = refusalFrom(error);
    throw refusal === null ? error : new UserError(refusal.code, refusal.message);
  }
}

function lineIn(answer: AdminAnswer): string {
  if (answer.kind !== "line") throw nonsense();
  return answer.line;
}

function nonsense(): UserError {
  return new UserError("server-unreachable", "the server gave an answer that makes no sense", {
    hint: "is it of another version? restart it",
    side: "server",
  });
}
