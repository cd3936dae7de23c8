import { toBase32, toHex } from "../../../wire/bytes.ts";
import type { DeviceRecord } from "../../../wire/messages/signalling.ts";
import type { Command, EnrolCommand, PasswdCommand } from "../../cli/command.ts";
import type { PeerContext } from "../../cli/context.ts";
import { UserError } from "../../cli/errors.ts";
import { requireServer } from "../../cli/requirements.ts";
import { readAccount, removeAccount, requireAccount } from "../account.ts";
import { homeAt, openHome } from "../home.ts";
import { checkHome, enrol, isReset, openNode } from "../open-node.ts";
import { askNewPassword, askPassword, askTrust } from "../prompts/secrets.ts";
import { type KeyedJoinLine, withServerKey } from "../server-choice.ts";
import { trustIn } from "../trust.ts";
import { unexpected } from "../unexpected.ts";
import { obtainPassword } from "./password.ts";
import type { LiveNode } from "../live-node.ts";

export async function runEnrol(
  { kind, name, passwordFile, deviceLabel }: EnrolCommand,
  context: PeerContext,
): Promise<number> {
  const server = await serverFor(kind, context);
  checkHome(openHome(context.home), { kind, name, server });
  const ask = () =>
    kind === "register" || isReset({ kind, server })
      ? askNewPassword(context.terminal, context.signal)
      : askPassword(context.terminal, context.signal);
  const password = await obtainPassword(context, passwordFile, ask);
  await using node = await enrol(context, { kind, server, name, password, deviceLabel });
  reportSignedIn(node, context);
  return 0;
}

export async function runWhoami(context: PeerContext): Promise<number> {
  await using node = await openNode(context);
  reportSignedIn(node, context);
  return 0;
}

/** The local account goes in any case. */
export async function runLogout(context: PeerContext): Promise<number> {
  const home = homeAt(context.home);
  requireAccount(home);
  try {
    await using node = await openNode(context);
    await node.request({ kind: "signOut" });
  } catch (error) {
    // A device that the server has signed out already is where it was to get.
    if (!(error instanceof UserError) || (error.code !== "revoked" && error.code !== "not-signed-in")) throw error;
  } finally {
    await removeAccount(home);
  }
  context.output.event({ event: "signed_out" });
  return 0;
}

export async function runPasswd(
  { passwordFile, newPasswordFile }: PasswdCommand,
  context: PeerContext,
): Promise<number> {
  const { terminal, signal } = context;
  const password = await obtainPassword(context, passwordFile, () => askPassword(terminal, signal));
  const newPassword = await obtainPassword(context, newPasswordFile, () => askNewPassword(terminal, signal));
  await using node = await openNode(context);
  const [before, after] = [password.normalize("NFC"), newPassword.normalize("NFC")];
  try {
    await node.request({ kind: "changePassword", password: before, newPassword: after });
  } catch (error) {
    throw error instanceof UserError && error.code === "wrong-password" ? wrongOldPassword(node.name, error) : error;
  }
  context.output.note("the password is changed; all other devices are signed out");
  return 0;
}

function wrongOldPassword(name: string, cause: UserError): UserError {
  const hint = `the server's operator can make a reset line with \`p2p server passwd ${name}\``;
  const message = `cannot change the password of ${name}: the old one is wrong`;
  return new UserError(cause.code, message, { side: cause.side, hint, cause });
}

export async function runDevices(context: PeerContext): Promise<number> {
  await using node = await openNode(context);
  const pins = node.people.find(node.name);
  for (const device of await devicesOf(node)) {
    const { id, key, label } = device;
    const isHere = toHex(id) === node.deviceId;
    const trust = isHere ? "verified" : trustIn(pins, device);
    const here = isHere ? { here: true as const } : {};
    context.output.event({ event: "device", id: toHex(id), label, key: toBase32(key), trust, ...here });
  }
  return 0;
}

export async function runRevoke({ id }: Command & { kind: "device-revoke" }, context: PeerContext): Promise<number> {
  await using node = await openNode(context);
  const matching = (await devicesOf(node)).filter((device) => toHex(device.id).startsWith(id.toLowerCase()));
  const [device] = matching;
  if (device === undefined || matching.length > 1) {
    const found = matching.length > 1 ? "several devices begin like that" : "you have no such device";
    throw new UserError("usage", `cannot revoke ${id}: ${found}`, { hint: "`p2p devices` lists them" });
  }
  await node.request({ kind: "revokeDevice", device: device.id });
  context.output.note(`${device.label} is signed out`);
  return 0;
}

async function devicesOf(node: LiveNode): Promise<readonly DeviceRecord[]> {
  const answer = await node.request({ kind: "listDevices" });
  if (answer.kind !== "devices") throw unexpected(answer.kind);
  return answer.devices;
}

/** `login` again needs no join line where the account is known. */
async function serverFor(kind: "register" | "login", context: PeerContext): Promise<KeyedJoinLine> {
  const { settings, terminal, signal } = context;
  const account = kind === "login" && settings.server === null ? readAccount(homeAt(context.home)) : null;
  if (account !== null) return account.server;
  requireServer(terminal.interactive ? { server: settings.server, trustFirstUse: true } : settings);
  if (settings.server === null)
    throw new UserError("usage", "the server is missing", { hint: "add --server JOIN-LINE" });
  return withServerKey(settings.server, async (key) => settings.trustFirstUse || askTrust(terminal, signal, key));
}

function reportSignedIn(node: LiveNode, { output }: PeerContext): void {
  output.event({ event: "signed_in", user: node.name, device: node.deviceId, server: node.server });
}
