import { canonicalIp } from "../../address.ts";
import { gatewayUrl } from "./gateway-url.ts";
import { soapRequest, type GatewayRequest, type UpnpService } from "./soap.ts";
import { findElement, findElements, readXml, type XmlElement } from "./xml.ts";

/** UPnP error codes of WANIPConnection:2 §2.5, as far as something depends on them. */
export const upnpError = { conflict: 718, samePortsOnly: 724, permanentLeasesOnly: 725 } as const;

/** Best first. */
const CONNECTIONS = ["WANIPConnection:2", "WANIPConnection:1", "WANPPPConnection:1"] as const;
const PREFIX = "urn:schemas-upnp-org:service:";
/** A router with more lines than that is none. */
const MAX_SERVICES = 4;

export interface UpnpMapping {
  readonly ownIp: string;
  readonly internalPort: number;
  readonly externalPort: number;
  /** 0: until somebody ends it. */
  readonly leaseSeconds: number;
}

export function describeRequest(url: string): GatewayRequest {
  return { method: "GET", url, headers: {}, body: null };
}

/**
 * What of a gateway's description maps ports, best first: every line of it that it describes.
 * @param location where the description lay
 */
export function connectionServices(description: string, location: string, gatewayIp: string): readonly UpnpService[] {
  const root = readXml(description);
  if (root === null) return [];
  const base = gatewayUrl(textOf(root, "URLBase"), gatewayIp) ?? location;
  const services = findElements(root, "service").flatMap((service) => {
    const url = gatewayUrl(textOf(service, "controlURL"), gatewayIp, base);
    return url === null ? [] : [{ type: textOf(service, "serviceType"), controlUrl: url }];
  });
  return CONNECTIONS.flatMap((name) => services.filter(({ type }) => type === PREFIX + name)).slice(0, MAX_SERVICES);
}

export function externalIpRequest(service: UpnpService): GatewayRequest {
  return soapRequest(service, "GetExternalIPAddress", {});
}

/** @returns null when it is no IPv4 address, as of a line that is down */
export function externalIpIn(value: (name: string) => string | null): string | null {
  const ip = canonicalIp(value("NewExternalIPAddress") ?? "");
  return ip === null || ip.includes(":") || ip === "0.0.0.0" ? null : ip;
}

/** Whether the gateway can choose a port by itself where ours is taken. */
export function choosesPorts({ type }: UpnpService): boolean {
  return type === PREFIX + CONNECTIONS[0];
}

export type AddAction = "AddPortMapping" | "AddAnyPortMapping";

/** WANIPConnection:1 §2.4.16; AddAnyPortMapping since WANIPConnection:2 §2.5.19, whose answer names the port. */
export function addRequest(service: UpnpService, action: AddAction, mapping: UpnpMapping): GatewayRequest {
  return soapRequest(service, action, {
    NewRemoteHost: "",
    NewExternalPort: mapping.externalPort,
    NewProtocol: "UDP",
    NewInternalPort: mapping.internalPort,
    NewInternalClient: mapping.ownIp,
    NewEnabled: 1,
    NewPortMappingDescription: "p2p",
    NewLeaseDuration: mapping.leaseSeconds,
  });
}

/** @returns null when it names none */
export function reservedPortIn(value: (name: string) => string | null): number | null {
  const text = value("NewReservedPort") ?? "";
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port > 0 && port <= 65_535 ? port : null;
}

/** WANIPConnection:1 §2.4.17. */
export function deleteRequest(service: UpnpService, externalPort: number): GatewayRequest {
  return soapRequest(service, "DeletePortMapping", {
    NewRemoteHost: "",
    NewExternalPort: externalPort,
    NewProtocol: "UDP",
  });
}

function textOf(element: XmlElement, name: string): string {
  return findElement(element, name)?.text ?? "";
}
