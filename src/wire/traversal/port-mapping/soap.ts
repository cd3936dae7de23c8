import { findElement, readXml } from "./xml.ts";

/** One way to a device's actions. */
export interface UpnpService {
  /** `urn:schemas-upnp-org:service:…` with its version. */
  readonly type: string;
  readonly controlUrl: string;
}

/** An HTTP request to the gateway, and nobody else. */
export interface GatewayRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** What came of one; null in its place when nothing did. */
export interface GatewayReply {
  readonly status: number;
  readonly body: string;
}

export type SoapAnswer =
  | { readonly isDone: true; readonly value: (name: string) => string | null }
  /** `code` is the device's; null when it gave none. */
  | { readonly isDone: false; readonly code: number | null };

/**
 * UPnP Device Architecture 1.1 §3.2.1.
 * @param values of our own making: digits, addresses and plain words, which nothing needs to be done to
 */
export function soapRequest(
  { type, controlUrl }: UpnpService,
  action: string,
  values: Readonly<Record<string, string | number>>,
): GatewayRequest {
  const inside = Object.entries(values).map(([name, value]) => `<${name}>${value}</${name}>`);
  const body = [
    '<?xml version="1.0"?>\r\n<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ',
    's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">',
    `<s:Body><u:${action} xmlns:u="${type}">${inside.join("")}</u:${action}></s:Body></s:Envelope>\r\n`,
  ];
  const headers = { "Content-Type": 'text/xml; charset="utf-8"', SOAPAction: `"${type}#${action}"` };
  return { method: "POST", url: controlUrl, headers, body: body.join("") };
}

/** UPnP Device Architecture 1.1 §3.2.2 and §3.2.5. */
export function readSoapAnswer(action: string, { status, body }: GatewayReply): SoapAnswer {
  const root = readXml(body);
  const answer = root === null ? null : findElement(root, `${action}Response`);
  if (status === 200 && answer !== null)
    return { isDone: true, value: (name) => findElement(answer, name)?.text ?? null };
  const code = root === null ? "" : (findElement(root, "errorCode")?.text ?? "");
  return { isDone: false, code: /^\d{1,5}$/.test(code) ? Number(code) : null };
}
