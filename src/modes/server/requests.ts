import type { SignallingMessage } from "../../wire/messages/signalling.ts";
import type { Member, Message } from "./members.ts";
import type { RemoteMember } from "./cluster/remote-member.ts";
import { ourTrouble, Refusal, refusalFrom } from "./refusal.ts";
import type { Services } from "./services.ts";
import { formatHostPort, type ServerNode } from "../cli/join-line.ts";
import { TOKEN_LIFETIME_MS } from "./tokens.ts";

/**
 * What a member's message leads to. What must keep its order against other messages happens before this returns; what is left is in the
 * promise. @throws Refusal, or rejects with it, for `failed`
 */
export function handleRequest(services: Services, member: Member, message: SignallingMessage): Promise<void> | void {
  const { hub } = services;
  if (services.cluster.pass(member, message)) return undefined;
  switch (message.kind) {
    case "forward":
      return hub.pairings.forward(member, message);
    case "ring":
      return hub.ring(member, message);
    case "accept":
      return hub.accept(member, message);
    case "decline":
      return hub.decline(member, message);
    case "cancel":
      return hub.cancel(member, message);
    case "hangUp":
      return hangUp(services, member, message);
    case "openLeg":
      return openLeg(services, member, message);
    case "getTicket":
      return getTicket(services, member, message);
    case "answer":
      return answer(services, member, message);
    case "watch":
      return services.watchers.watch(member, message);
    case "listPeople":
      return listPeople(services, member, message);
    case "findPerson":
      return findPerson(services, member, message);
    case "block":
      return block(services, member, message);
    case "listDevices":
      return listDevices(services, member, message);
    case "revokeDevice":
      return revokeDevice(services, member, message);
    case "renewToken":
      return sendSignedIn(services, member, message.request);
    case "signOut":
      return signOut(services, member, message);
    case "changePassword":
      return changePassword(services, member, message);
    case "ping":
      return member.send({ kind: "pong" });
    case "pong":
      return undefined;
    case "signIn":
    case "register":
    case "enrol":
    case "resetPassword":
      throw new Refusal("bad-message", "this channel is signed in already");
    default:
      throw new Refusal("unknown-type", `${message.kind} is nothing that a peer says`);
  }
}

/** A channel of another node said it there. What it would hear from a channel of this one it hears through its own node. */
export function handleRemote(services: Services, member: RemoteMember, message: SignallingMessage): void {
  const answer = (error: unknown) => member.send(answerTo(message, refusalOf(services, error)));
  try {
    void handleRequest(services, member, message)?.catch(answer);
  } catch (error) {
    answer(error);
  }
}

/** As the other end may see it; what is our defect, or the store's trouble, goes into the log. */
export function refusalOf({ troubles }: Services, error: unknown): Refusal {
  const refusal = refusalFrom(error);
  if (refusal !== null) return refusal;
  troubles.tell("request-failed", error);
  return ourTrouble(error);
}

/** What names a session that is not there hears of that session. */
export function answerTo(message: SignallingMessage, refusal: Refusal): Message<"gone" | "failed"> {
  const { code, message: text, retryMs } = refusal;
  if (code === "no-such-session" && (message.kind === "forward" || message.kind === "hangUp"))
    return { kind: "gone", session: message.session, code };
  return { kind: "failed", request: requestOf(message), code, message: text, retryMs };
}

/** What the answer must repeat; 0 where there is none. */
export function requestOf(message: SignallingMessage): number {
  return "request" in message ? message.request : 0;
}

/** The token is made anew each time. */
export async function sendSignedIn({ tokens, relays }: Services, member: Member, request: number): Promise<void> {
  const { name, userId, deviceId } = member.identity;
  const token = await tokens.issue(member.identity);
  const tokenLifetimeMs = TOKEN_LIFETIME_MS;
  member.send({ kind: "signedIn", request, name, userId, deviceId, token, tokenLifetimeMs, relays });
}

function hangUp({ hub, tally, log }: Services, member: Member, { session, path }: Message<"hangUp">): void {
  hub.pairings.hangUp(member, session);
  if (path === "") return;
  tally.sessionEnded(path);
  log.info("session-ended", { path });
}

function openLeg(
  { hub, relays, ownPlace, udpPorts }: Services,
  member: Member,
  { request, session }: Message<"openLeg">,
): void {
  if (!relays) throw new Refusal("no-path", "this server does not relay");
  const { id, key } = hub.pairings.openLeg(member, session);
  member.send({ kind: "leg", request, session, leg: id, key, node: nameOf(ownPlace), ports: udpPorts });
}

function nameOf(place: ServerNode | null): string {
  return place === null ? "" : formatHostPort(place.host, place.port);
}

function getTicket({ discovery, ownPlace }: Services, member: Member, { request }: Message<"getTicket">): void {
  member.send({ kind: "ticket", request, ...discovery.issue(member), node: nameOf(ownPlace) });
}

async function answer(
  { hub, cluster, attendance }: Services,
  member: Member,
  message: Message<"answer">,
): Promise<void> {
  hub.pairings.claim(
    member,
    message.sessions.filter(({ session }) => !cluster.has(member, session)),
  );
  await attendance.answer(member, message);
}

async function listPeople({ directory }: Services, member: Member, message: Message<"listPeople">): Promise<void> {
  member.send({ kind: "people", request: message.request, ...(await directory.list(member.identity, message)) });
}

async function findPerson(
  { directory }: Services,
  member: Member,
  { request, name }: Message<"findPerson">,
): Promise<void> {
  member.send({ kind: "person", request, ...(await directory.find(member.identity, name)) });
}

async function block(
  { blocking }: Services,
  member: Member,
  { request, name, blocked }: Message<"block">,
): Promise<void> {
  await blocking.set(member, name, blocked, () => member.send({ kind: "done", request }));
}

async function listDevices(
  { directory }: Services,
  member: Member,
  { request }: Message<"listDevices">,
): Promise<void> {
  member.send({ kind: "devices", request, devices: await directory.devices(member.identity) });
}

async function revokeDevice(
  { directory, revocations }: Services,
  member: Member,
  { request, device }: Message<"revokeDevice">,
): Promise<void> {
  await directory.revoke(member.identity, device);
  member.send({ kind: "done", request });
  revocations.note([device]);
}

async function signOut(
  { directory, revocations }: Services,
  member: Member,
  { request }: Message<"signOut">,
): Promise<void> {
  const { identity } = member;
  await directory.revoke(identity, identity.deviceId);
  member.send({ kind: "done", request });
  revocations.note([identity.deviceId]);
}

async function changePassword(
  { accounts, revocations }: Services,
  member: Member,
  message: Message<"changePassword">,
): Promise<void> {
  const { name, deviceId, deviceKey } = member.identity;
  const typed = { name, password: message.password };
  const applicant = { deviceKey, ip: member.ip };
  revocations.note(await accounts.credentials.change(applicant, typed, message.newPassword, deviceId));
  member.send({ kind: "done", request: message.request });
}
