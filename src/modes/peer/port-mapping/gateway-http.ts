import type { GatewayReply, GatewayRequest } from "../../../wire/traversal/port-mapping/soap.ts";
import { MAX_XML_CHARACTERS } from "../../../wire/traversal/port-mapping/xml.ts";

/** Routers that ask their line about it take their time. Milliseconds. */
const TIMEOUT_MS = 3_000;

/**
 * Asks the gateway: straight, so no proxy hears of it, and only itself, so that it cannot send us elsewhere.
 * @returns null when nothing usable comes back in time
 */
export async function askGateway(request: GatewayRequest, signal: AbortSignal): Promise<GatewayReply | null> {
  const { url, method, headers, body } = request;
  try {
    const response = await fetch(url, {
      method,
      body,
      // What is packed could unpack to anything.
      headers: { ...headers, "Accept-Encoding": "identity", Connection: "close" },
      decompress: false,
      redirect: "manual",
      proxy: false,
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const text = await boundedText(response);
    return text === null ? null : { status: response.status, body: text };
  } catch {
    return null;
  }
}

async function boundedText(response: Response): Promise<string | null> {
  const decoder = new TextDecoder();
  let [text, bytes] = ["", 0];
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_XML_CHARACTERS) return null;
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}
