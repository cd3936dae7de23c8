import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Request } from "../../wire/rendezvous/peer-end.ts";
import type { PeerContext } from "../cli/context.ts";
import { UserError } from "../cli/errors.ts";
import type { JoinLine } from "../cli/join-line.ts";
import { Qlog } from "../runtime/qlog.ts";
import { type PinnedServer, readAccount, requireAccount, saveAccount } from "./account.ts";
import { ServerBusy } from "./channel-socket.ts";
import { type Home, openHome } from "./home.ts";
import { type Identity, openIdentity, openOrCreateIdentity } from "./identity.ts";
import { LiveNode, type NodePolicy } from "./live-node.ts";
import { ownDeviceList, systemRandom } from "./own-device.ts";
import { People } from "./people.ts";
import { ServerLink, type SignedIn } from "./server-link.ts";
import { Switchboard } from "./switchboard.ts";
import { UdpEndpoint } from "./udp-endpoint.ts";

/** Signs in with the account of this home. @throws UserError `not-signed-in`, `config`, or what the server says */
export async function openNode(context: PeerContext): Promise<LiveNode> {
  const home = openHome(context.home);
  const account = requireAccount(home);
  const identity = openIdentity(home);
  const link = new ServerLink(account.server, identity.keys);
  return traced(context, async (qlog) => {
    await connect(link, context);
    return signIn(context, home, identity, link, qlog, { kind: "signIn", token: null });
  });
}

/** What a new account, or a new device of one, is made of. */
export interface Enrolment {
  readonly kind: "register" | "login";
  readonly server: JoinLine & { readonly key: Uint8Array };
  readonly name: string;
  readonly password: string;
  /** What to call this device; null: the name of the machine. */
  readonly deviceLabel: string | null;
}

/**
 * Makes an account, or a device of one, for this home, and keeps it there.
 * @throws UserError `already-registered` for a home that has another account, or what the server says
 */
export async function enrol(context: PeerContext, enrolment: Enrolment): Promise<LiveNode> {
  const home = openHome(context.home);
  checkHome(home, enrolment);
  const identity = openOrCreateIdentity(home, systemRandom);
  const { secure, nodes, key } = enrolment.server;
  const link = new ServerLink({ secure, nodes, key }, identity.keys);
  const label = enrolment.deviceLabel ?? machineName();
  const node = await traced(context, async (qlog) => {
    await connect(link, context);
    if (isReset(enrolment)) await resetPassword(link, enrolment);
    return signIn(context, home, identity, link, qlog, requestOf(enrolment, identity, label));
  });
  await keep(home, link.me, label, { secure, nodes, key, invite: null });
  return node;
}

/** A join line with an invitation may, with `login`, be the operator's reset line: then the password given is the new one. */
export function isReset({ kind, server }: Pick<Enrolment, "kind" | "server">): boolean {
  return kind === "login" && server.invite !== null;
}

/** @throws UserError `already-registered` */
export function checkHome(home: Home, { kind, name, server }: Pick<Enrolment, "kind" | "name" | "server">): void {
  const account = readAccount(home);
  if (account === null) return;
  const isSame = account.name === name && Buffer.compare(account.server.key, server.key) === 0;
  if (kind === "login" && isSame) return;
  const hint = "sign out with `p2p logout`, or give another folder with --home DIR";
  throw new UserError("already-registered", `this home belongs to ${account.name} already`, { hint });
}

/** The file for traces is made before anybody is asked for anything, and goes again when nothing comes of it. @throws UserError */
async function traced(
  { settings, output }: PeerContext,
  open: (qlog: Qlog | null) => Promise<LiveNode>,
): Promise<LiveNode> {
  const { qlog: file } = settings;
  const onTrouble = (error: unknown): void => void output.error(error);
  const qlog = file === null ? null : new Qlog(file, { onTrouble, wallMs: Date.now });
  try {
    return await open(qlog);
  } catch (error) {
    await qlog?.close();
    throw error;
  }
}

/** A server that is busy says when to come back: that is waited for, as far as --wait allows. */
async function connect(link: ServerLink, { settings, output, signal }: PeerContext): Promise<void> {
  for (const start = performance.now(); ;) {
    try {
      return await link.connect();
    } catch (error) {
      const waitedMs = performance.now() - start;
      if (!(error instanceof ServerBusy) || waitedMs + error.retryMs > settings.waitMs) throw error;
      output.status(`${error.message}; trying again in ${Math.ceil(error.retryMs / 1_000)} s`);
      await sleep(error.retryMs, null, { signal });
      output.status("");
    }
  }
}

async function signIn(
  context: PeerContext,
  home: Home,
  identity: Identity,
  link: ServerLink,
  qlog: Qlog | null,
  how: Request,
): Promise<LiveNode> {
  try {
    const { userId, deviceId } = await link.signIn(how);
    const { relayOnly, directOnly, requireVerified, portMapping } = context.settings;
    const policy: NodePolicy = { relayOnly, directOnly, requireVerified, portMapping };
    const own = { identity, userId, deviceId, deviceList: ownDeviceList(identity) };
    const onFault = (error: unknown): void => void context.output.error(error);
    link.onHindrance = onFault;
    // Who hides and goes through a proxy is not to be seen beside it.
    const endpoint =
      relayOnly && link.isProxied
        ? UdpEndpoint.none(onFault)
        : await UdpEndpoint.open(onFault, relayOnly).catch(() => UdpEndpoint.none(onFault));
    const people = new People(home, link.serverKey);
    return new LiveNode({ own, link, endpoint, people, policy, qlog, onFault, switchboard: new Switchboard() });
  } catch (error) {
    link.close();
    throw error;
  }
}

function requestOf({ kind, server, name, password }: Enrolment, identity: Identity, label: string): Request {
  const signKey = identity.signing.publicKey;
  const common = { name, password: password.normalize("NFC"), label, signKey, deviceList: ownDeviceList(identity) };
  return kind === "register" ? { kind: "register", ...common, invite: server.invite } : { kind: "enrol", ...common };
}

/** What is no reset may be the invitation by which the person once joined: then the password is the one that holds, or is found to be wrong. */
async function resetPassword(link: ServerLink, { name, password, server }: Enrolment): Promise<void> {
  if (server.invite === null) return;
  try {
    await link.request({ kind: "resetPassword", name, secret: server.invite, newPassword: password.normalize("NFC") });
  } catch (error) {
    if (error instanceof UserError && error.code === "wrong-password") return;
    link.close();
    throw error;
  }
}

async function keep(home: Home, me: SignedIn, label: string, server: PinnedServer): Promise<void> {
  const { name, userId, deviceId } = me;
  await saveAccount(home, { name, userId, deviceId, label, server });
}

/** At most 64 bytes of it, as the protocol has room for. */
function machineName(): string {
  let name = hostname().toWellFormed() || "computer";
  while (Buffer.byteLength(name) > 64) name = name.slice(0, -1);
  return name;
}
