import { canonicalIp } from "../../address.ts";

const MAX_CHARACTERS = 1_024;

/**
 * A device may name any address, and we would go there: only plain http to the gateway itself is taken.
 * @param base what a relative one is relative to
 * @returns null for any other
 */
export function gatewayUrl(text: string, gatewayIp: string, base?: string): string | null {
  const url = text.length > MAX_CHARACTERS ? null : URL.parse(text, base);
  if (url === null || url.protocol !== "http:" || url.username !== "" || url.password !== "") return null;
  if (canonicalIp(url.hostname) !== gatewayIp) return null;
  url.hash = "";
  return url.href;
}
