import { equalBytes } from "../../wire/bytes.ts";
import { WireError } from "../../wire/errors.ts";
import { type DeviceList, readDeviceList } from "../../wire/rendezvous/device-list.ts";
import { UserError } from "../cli/errors.ts";
import type { Target } from "./asking.ts";
import type { Established } from "./established.ts";
import type { People } from "./people.ts";
import type { ServerLink } from "./server-link.ts";
import { isTrusted, sameKeys } from "./trust.ts";
import { unexpected } from "./unexpected.ts";

/** Which devices of a person may be rung, and what is remembered of those met. */
export class Introductions {
  readonly #link: ServerLink;
  readonly #people: People;
  readonly #requireVerified: boolean;

  constructor(link: ServerLink, people: People, requireVerified: boolean) {
    this.#link = link;
    this.#people = people;
    this.#requireVerified = requireVerified;
  }

  /**
   * @param except one's own device, when ringing oneself
   * @throws UserError `no-such-person`, `blocked`, `peer-key-changed` when no trusted device is left, `unverified`
   */
  async targetOf(name: string, except: Uint8Array | null): Promise<Target> {
    if (this.#people.find(name).blocked) throw blocked(name);
    const answer = await this.#link.request({ kind: "findPerson", name }).catch((error: unknown) => {
      throw unreached(name, error);
    });
    if (answer.kind !== "person") throw unexpected(answer.kind);
    const offered = answer.devices.filter(({ id }) => except === null || !equalBytes(id, except));
    const { firstContact, changed } = this.#people.judge(name, offered);
    // On record at once, so that `p2p contacts` can show it.
    if (!firstContact && changed.length > 0) await this.#people.pin(name, changed, null);
    const devices = offered.filter((device) => !changed.some((each) => equalBytes(each.id, device.id)));
    if (offered.length === 0) throw noDevice(name, except !== null);
    if (devices.length === 0) throw changedKey(name);
    return { name, userId: answer.userId, devices: this.#verifiedOf(name, devices) };
  }

  /**
   * After a handshake proved the device: a stranger's devices are pinned, the list that came along is kept.
   * @param target whom we rang; a crossing ring may come from a device that the server kept from us
   * @throws UserError `peer-key-changed` when somebody else has come to be known by this name meanwhile
   */
  async met(
    { name, devices }: Pick<Target, "name" | "devices">,
    { device, agreed }: Pick<Established, "device" | "agreed">,
  ): Promise<void> {
    const { deviceList, signKey } = agreed.introduction;
    const before = this.#people.find(name);
    const isWelcome = before.devices.length === 0 || isTrusted(before, device);
    const list = isWelcome && isNews(deviceList, signKey, before.deviceList) ? deviceList : null;
    const proven = devices.some((each) => sameKeys(each, device)) ? devices : [device];
    const person = await this.#people.pin(name, proven, list);
    if (!isTrusted(person, device)) throw changedKey(name);
  }

  #verifiedOf<Device extends { readonly key: Uint8Array }>(
    name: string,
    devices: readonly Device[],
  ): readonly Device[] {
    if (!this.#requireVerified) return devices;
    const pins = this.#people.find(name).devices.filter(({ state }) => state === "verified");
    const verified = devices.filter(({ key }) => pins.some((pin) => equalBytes(pin.key, key)));
    if (verified.length > 0) return verified;
    const hint = `compare numbers with \`p2p verify ${name}\`, or leave --require-verified out`;
    throw new UserError("unverified", `cannot talk to ${name}: no device of theirs is verified`, { hint });
  }
}

/** A list that its own device did not sign says nothing about it, and an older one than that on record nothing new. */
function isNews(bytes: Uint8Array, signKey: Uint8Array, onRecord: Uint8Array): boolean {
  const [list, known] = [readList(bytes), readList(onRecord)];
  if (list === null || !equalBytes(list.signKey, signKey)) return false;
  return known === null || !equalBytes(known.signKey, signKey) || list.serial >= known.serial;
}

/** @returns null for what is none */
function readList(bytes: Uint8Array): DeviceList | null {
  try {
    return readDeviceList(bytes);
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}

/** The server does not repeat the name; with several people to send to it is needed. */
function unreached(name: string, error: unknown): unknown {
  if (!(error instanceof UserError) || error.code !== "no-such-person") return error;
  const hint = error.hint ?? "check the name with `p2p users`";
  return new UserError(error.code, `cannot reach ${name}: ${error.message}`, { side: error.side, hint, cause: error });
}

function blocked(name: string): UserError {
  return new UserError("blocked", `${name} is blocked by you`, { hint: `\`p2p contacts unblock ${name}\` lifts that` });
}

function noDevice(name: string, isSelf: boolean): UserError {
  if (isSelf) return new UserError("offline", "you have no other device", { hint: "sign in on it with `p2p login`" });
  return new UserError("offline", `cannot reach ${name}: they are signed in nowhere`, { side: "remote" });
}

function changedKey(name: string): UserError {
  const hint = `ask ${name} another way whether they changed devices; \`p2p verify ${name}\` shows the numbers`;
  return new UserError("peer-key-changed", `cannot trust ${name}: all their device keys are new`, {
    side: "remote",
    hint,
  });
}
