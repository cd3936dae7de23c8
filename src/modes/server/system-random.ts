import type { Random } from "../../wire/core.ts";

/** The system's randomness. */
export const systemRandom: Random = (length) => crypto.getRandomValues(new Uint8Array(length));
