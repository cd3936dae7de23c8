import { proxyFor } from "../proxy.ts";

const TIMEOUT_MS = 3_000;
/** A server tells whole seconds, cut off. */
const HALF_A_SECOND_MS = 500;

/**
 * How far the server's clock is from ours, by the `Date` of an HTTP answer (RFC 9110 §6.6.1). Anybody in between may say what they like: it explains
 * things, and nothing rests on it.
 * @param url of something small
 * @returns whole seconds, positive where the server's is ahead; null when it does not say
 */
export async function serverClockOffset(url: string, wallMs: () => number = Date.now): Promise<number | null> {
  try {
    // A proxy has a clock of its own.
    if (proxyFor(url) !== null) return null;
    const askedAt = wallMs();
    const { headers } = await fetch(url, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
      redirect: "manual",
      proxy: false,
      tls: { rejectUnauthorized: false },
    });
    const told = Date.parse(headers.get("date") ?? "") + HALF_A_SECOND_MS;
    const offset = Math.round((told - (askedAt + wallMs()) / 2) / 1_000);
    return Number.isFinite(offset) ? offset + 0 : null;
  } catch {
    return null;
  }
}
