import { toHex } from "../../../wire/bytes.ts";
import { safetyNumber } from "../../../wire/noise/safety-number.ts";
import { SELF, type VerifyCommand } from "../../cli/command.ts";
import type { PeerContext } from "../../cli/context.ts";
import { UserError } from "../../cli/errors.ts";
import { requireAccount } from "../account.ts";
import { openHome } from "../home.ts";
import { openIdentity } from "../identity.ts";
import { People } from "../people.ts";
import type { Person, Pin } from "../trust.ts";

interface Numbered {
  readonly pin: Pin;
  /** 60 digits. */
  readonly digits: string;
}

/** `p2p verify`: offline, from the keys on record. */
export async function runVerify(
  { person: typed, matches, reset }: VerifyCommand,
  context: PeerContext,
): Promise<number> {
  const home = openHome(context.home);
  const account = requireAccount(home);
  const name = typed === SELF ? account.name : typed;
  const people = new People(home, account.server.key);
  const own = openIdentity(home).keys.publicKey;
  const person = reset ? await people.resetVerified(name) : people.find(name);
  if (person.devices.length === 0) throw name === account.name ? alone() : unmet(name);
  const numbers = person.devices.map((pin) => ({ pin, digits: safetyNumber(own, pin.key) }));
  const shown = matches === null ? person : await compare(people, person, numbers, matches);
  for (const { pin, digits } of numbers) tell(context, shown, pin, digits);
  return 0;
}

async function compare(
  people: People,
  { name }: Person,
  numbers: readonly Numbered[],
  matches: string,
): Promise<Person> {
  const equal = numbers.find(({ digits }) => digits === matches);
  if (equal !== undefined) return people.markVerified(name, equal.pin.key);
  const hint = `read the number to each other again; if it stays so, somebody stands between you and ${name}`;
  throw new UserError("number-differs", `this is not the number of any device of ${name}`, { hint });
}

function tell({ output }: PeerContext, person: Person, pin: Pin, digits: string): void {
  const trust = person.devices.find(({ key }) => Buffer.compare(key, pin.key) === 0)?.state ?? pin.state;
  output.event({ event: "number", peer: person.name, device: toHex(pin.id), digits, trust });
}

function alone(): UserError {
  return new UserError("no-such-person", "no key of another device of yours is known here yet", {
    hint: `talk to it once: \`p2p msg @${SELF} hello\``,
  });
}

function unmet(name: string): UserError {
  return new UserError("no-such-person", `no key of ${name} is known here yet`, {
    hint: `talk to them once: \`p2p msg ${name} hello\``,
  });
}
