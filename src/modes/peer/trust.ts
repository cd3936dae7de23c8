import { equalBytes } from "../../wire/bytes.ts";
import type { Trust } from "../cli/events.ts";

/** A device's two keys, wherever they come from. */
export interface DeviceKeys {
  /** X25519, 32 bytes. */
  readonly key: Uint8Array;
  /** Ed25519, 32 bytes. */
  readonly signKey: Uint8Array;
}

/** A device as the server or a ring names it. */
export interface OfferedDevice extends DeviceKeys {
  /** 16 bytes; another one after each enrolment, so that no trust hangs on it. */
  readonly id: Uint8Array;
}

/**
 * What is known of a device: `new` since the first contact, `verified` since its number was compared; `changed` is a key that
 * appeared under a known name and is trusted by nobody yet.
 */
export interface Pin extends OfferedDevice {
  readonly state: Exclude<Trust, "none">;
}

export interface Person {
  readonly name: string;
  readonly nick: string | null;
  readonly blocked: boolean;
  /** What they may do without a question: null for somebody never accepted. */
  readonly trust: "chat" | "files" | null;
  readonly devices: readonly Pin[];
  /** The newest signed device list that came with these, as it came; empty when none did. */
  readonly deviceList: Uint8Array;
}

export interface Judgement<Device extends DeviceKeys> {
  /** Nobody of this name was met before: all devices are trusted, on first use. */
  readonly firstContact: boolean;
  readonly trusted: readonly Device[];
  /** Not to be rung, talked to or sent to. */
  readonly changed: readonly Device[];
}

/** Pins of one person that are kept; the server lists at most 16 devices at a time. */
const MAX_PINS = 64;

/** Trust belongs to a device's keys, not to a name, a device id or a user id. */
export function judge<Device extends DeviceKeys>(person: Person, offered: readonly Device[]): Judgement<Device> {
  if (isStranger(person)) return { firstContact: true, trusted: offered, changed: [] };
  const trusted = offered.filter((device) => isTrusted(person, device));
  return { firstContact: false, trusted, changed: offered.filter((device) => !trusted.includes(device)) };
}

export function isTrusted(person: Person, device: DeviceKeys): boolean {
  return person.devices.some((pin) => pin.state !== "changed" && sameKeys(pin, device));
}

/** Of one device of a person. */
export function trustIn(person: Person, device: DeviceKeys): Trust {
  if (isStranger(person)) return "none";
  return person.devices.find((pin) => sameKeys(pin, device))?.state ?? "changed";
}

/** The worst of a person's devices. */
export function trustOf(person: Person): Trust {
  if (person.devices.some((pin) => pin.state === "changed")) return "changed";
  if (isStranger(person)) return "none";
  return person.devices.every((pin) => pin.state === "verified") ? "verified" : "new";
}

export function stranger(name: string): Person {
  return { name, nick: null, blocked: false, trust: null, devices: [], deviceList: new Uint8Array(0) };
}

/** First use: a stranger's devices are trusted from now on; of a known person's devices the unknown ones become `changed`. */
export function withDevices(person: Person, devices: readonly OfferedDevice[], deviceList: Uint8Array | null): Person {
  const state = isStranger(person) ? "new" : "changed";
  const pins = person.devices.map((pin) => ({ ...pin, id: devices.find((each) => sameKeys(each, pin))?.id ?? pin.id }));
  const unknown = devices.filter((device) => !pins.some((pin) => sameKeys(pin, device)));
  const added = unknown.map(({ id, key, signKey }): Pin => ({ id, key, signKey, state }));
  return {
    ...person,
    devices: [...pins, ...added].slice(0, MAX_PINS),
    deviceList: deviceList ?? person.deviceList,
  };
}

/** The number of this device was compared; a `changed` key is not verified by that before it was accepted. */
export function withVerified(person: Person, key: Uint8Array): Person {
  return mapPins(person, (pin) =>
    pin.state === "new" && equalBytes(pin.key, key) ? { ...pin, state: "verified" } : pin,
  );
}

export function withoutVerified(person: Person): Person {
  return mapPins(person, (pin) => (pin.state === "verified" ? { ...pin, state: "new" } : pin));
}

function mapPins(person: Person, change: (pin: Pin) => Pin): Person {
  return { ...person, devices: person.devices.map(change) };
}

/** No device on record, not even an untrusted one. */
function isStranger(person: Person): boolean {
  return person.devices.length === 0;
}

export function sameKeys(a: DeviceKeys, b: DeviceKeys): boolean {
  return equalBytes(a.key, b.key) && equalBytes(a.signKey, b.signKey);
}
