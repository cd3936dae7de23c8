import { utf8 } from "../../wire/bytes.ts";

/** Where the operator's verbs find a running server: a port on loopback, and a token that only the owner of the data folder can read. */
export interface DoorPlate {
  readonly port: number;
  readonly token: string;
}

export function formatPlate(plate: DoorPlate): Uint8Array {
  return utf8(`${JSON.stringify(plate)}\n`);
}

/** @returns null when there is none, or a damaged one, which says as little */
export function parsePlate(bytes: Uint8Array | null): DoorPlate | null {
  try {
    const plate: unknown = bytes === null ? null : JSON.parse(new TextDecoder().decode(bytes));
    if (typeof plate !== "object" || plate === null || !("port" in plate) || !("token" in plate)) return null;
    const { port, token } = plate;
    return typeof port === "number" && typeof token === "string" && /^[0-9a-f]{64}$/.test(token)
      ? { port, token }
      : null;
  } catch {
    return null;
  }
}
