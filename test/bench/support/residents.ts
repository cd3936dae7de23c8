import { randomBytes } from "node:crypto";
import type { AccountStore } from "../../../src/store/accounts.ts";
import { systemRandom } from "../../../src/modes/server/system-random.ts";
import { KeyPair } from "../../../src/wire/noise/primitives.ts";

/** Somebody with an account and one enrolled device, and what signs it in. */
export interface Resident {
  readonly name: string;
  readonly userId: Uint8Array;
  readonly deviceId: Uint8Array;
  readonly keys: KeyPair;
}

export const PASSWORD = "correct horse battery";

/** Puts people straight into a store: passwords of thousands would take minutes to hash, so all have the same. */
export async function settle(store: AccountStore, count: number, prefix = "user"): Promise<readonly Resident[]> {
  const passwordHash = await Bun.password.hash(PASSWORD, { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 });
  const residents: Resident[] = [];
  for (let number = 0; number < count; number++) {
    const resident = residentNamed(`${prefix}-${String(number).padStart(5, "0")}`);
    await admit(store, resident, passwordHash);
    residents.push(resident);
  }
  return residents;
}

/** The same person at another device, which is not enrolled yet. */
export function newDeviceOf({ name, userId }: Resident): Resident {
  return { name, userId, deviceId: new Uint8Array(16), keys: KeyPair.generate(systemRandom) };
}

function residentNamed(name: string): Resident {
  const [userId, deviceId] = [new Uint8Array(randomBytes(16)), new Uint8Array(randomBytes(16))];
  return { name, userId, deviceId, keys: KeyPair.generate(systemRandom) };
}

async function admit(store: AccountStore, { name, userId, deviceId, keys }: Resident, passwordHash: string) {
  const createdAtMs = Date.now();
  await store.accounts.create({ userId, name, passwordHash, createdAtMs }, "open");
  const signKey = new Uint8Array(randomBytes(32));
  const device = { deviceId, userId, key: keys.publicKey, signKey, label: "bench", deviceList: new Uint8Array() };
  await store.devices.enrol({ ...device, createdAtMs });
}
