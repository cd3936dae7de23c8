import type { SignallingMessage } from "../../wire/messages/signalling.ts";
import type { Applicant } from "./credentials.ts";
import type { Message } from "./members.ts";
import { Refusal } from "./refusal.ts";
import type { Services } from "./services.ts";
import type { Identity } from "./tokens.ts";

export type SignInMessage = Message<"signIn" | "register" | "enrol" | "resetPassword">;
const kinds: ReadonlySet<string> = new Set(["signIn", "register", "enrol", "resetPassword"]);

export function isSignIn(message: SignallingMessage): message is SignInMessage {
  return kinds.has(message.kind);
}

/**
 * @returns who it is; null after a password was reset, when signing in is still to come
 * @throws Refusal
 */
export async function signInBy(
  services: Services,
  applicant: Applicant,
  message: SignInMessage,
): Promise<Identity | null> {
  const { accounts } = services;
  switch (message.kind) {
    case "signIn":
      return known(services, applicant, message.token);
    case "register":
      return accounts.register(applicant, message);
    case "enrol":
      return accounts.enrol(applicant, message);
    case "resetPassword":
    default:
      return reset(services, applicant, message);
  }
}

/** A token spares the store; without one, or with one that no longer holds, the device's row decides. */
async function known(
  { accounts, tokens, revocations }: Services,
  applicant: Applicant,
  token: string | null,
): Promise<Identity> {
  const byToken = token === null ? null : await tokens.verify(token, applicant.deviceKey).catch(() => null);
  const identity = byToken ?? (await accounts.signIn(applicant));
  if (revocations.has(identity.deviceId)) throw new Refusal("revoked", "this device was revoked");
  return identity;
}

async function reset(
  { accounts, revocations }: Services,
  applicant: Applicant,
  { name, secret, newPassword }: Message<"resetPassword">,
): Promise<null> {
  revocations.note(await accounts.credentials.reset(applicant, name, secret, newPassword));
  return null;
}
