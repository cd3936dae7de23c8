import { safetyNumber } from "../../../wire/noise/safety-number.ts";
import { UserError } from "../../cli/errors.ts";
import type { PeerSession } from "../peer-session.ts";
import type { People } from "../people.ts";
import type { Pin } from "../trust.ts";

/** A device of somebody and the number that stands for it and this one. */
export interface Numbered {
  readonly pin: Pin;
  /** 60 digits. */
  readonly digits: string;
}

/** One number per trusted device. 10 to 30 ms of work each. */
export function numbersOf(people: People, name: string, ownKey: Uint8Array): Numbered[] {
  const trusted = people.find(name).devices.filter(({ state }) => state !== "changed");
  return trusted.map((pin) => ({ pin, digits: safetyNumber(ownKey, pin.key) }));
}

/** The number of this session was compared and is equal. @throws UserError `unverified` when the device is not on record */
export async function markVerified(people: People, session: PeerSession, ownKey: Uint8Array): Promise<void> {
  const { peer, safetyNumber: digits } = session;
  const found = numbersOf(people, peer, ownKey).find((numbered) => numbered.digits === digits);
  if (found === undefined) throw new UserError("unverified", `the device of ${peer} is not on record`);
  await people.markVerified(peer, found.pin.key);
}
