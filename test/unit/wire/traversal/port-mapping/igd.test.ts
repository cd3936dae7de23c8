import { expect, test } from "bun:test";
import {
  addRequest,
  choosesPorts,
  connectionServices,
  deleteRequest,
  externalIpIn,
  externalIpRequest,
  reservedPortIn,
} from "../../../../../src/wire/traversal/port-mapping/igd.ts";
import { readSoapAnswer, type SoapAnswer } from "../../../../../src/wire/traversal/port-mapping/soap.ts";
import { findElements, readXml } from "../../../../../src/wire/traversal/port-mapping/xml.ts";
import { recorded } from "../../../../support/recorded-gateway.ts";

const location = "http://192.168.1.1:5000/rootDesc.xml";
const service = { type: "urn:schemas-upnp-org:service:WANIPConnection:1", controlUrl: "http://192.168.1.1:5000/ctl" };

function describe(...services: (readonly [type: string, controlUrl: string])[]): string {
  const list = services.map(
    ([type, url]) =>
      `<service><serviceType>urn:schemas-upnp-org:service:${type}</serviceType><controlURL>${url}</controlURL></service>`,
  );
  return `<root><device><serviceList>${list.join("")}</serviceList></device></root>`;
}

function values(answer: SoapAnswer): (name: string) => string | null {
  if (!answer.isDone) throw new Error(`refused: ${answer.code}`);
  return answer.value;
}

test("connectionServices() finds the line that miniupnpd describes", () => {
  expect(connectionServices(recorded.description, location, "192.168.1.1")).toEqual([
    { type: "urn:schemas-upnp-org:service:WANIPConnection:2", controlUrl: "http://192.168.1.1:5000/ctl/IPConn" },
  ]);
});

test("connectionServices() puts the best line first, and takes no more than four", () => {
  const xml = describe(["WANPPPConnection:1", "/ppp"], ["WANIPConnection:1", "/one"], ["WANIPConnection:2", "/two"]);
  const urls = connectionServices(xml, location, "192.168.1.1").map(({ controlUrl }) => new URL(controlUrl).pathname);
  expect(urls).toEqual(["/two", "/one", "/ppp"]);
  const many = describe(...Array.from({ length: 9 }, (_, index) => ["WANIPConnection:1", `/${index}`] as const));
  expect(connectionServices(many, location, "192.168.1.1")).toHaveLength(4);
});

test("connectionServices() leaves out lines that are not on the gateway itself", () => {
  const xml = describe(["WANIPConnection:1", "http://28.0.0.1/ctl"], ["WANIPConnection:1", "//28.0.0.1/ctl"]);
  expect(connectionServices(xml, location, "192.168.1.1")).toEqual([]);
});

test("connectionServices() obeys URLBase, if that is on the gateway", () => {
  const xml = describe(["WANIPConnection:1", "ctl"]);
  const based = (base: string) => xml.replace("<root>", `<root><URLBase>${base}</URLBase>`);
  const found = (xml: string) => connectionServices(xml, location, "192.168.1.1").map(({ controlUrl }) => controlUrl);
  expect(found(based("http://192.168.1.1:49152/igd/"))).toEqual(["http://192.168.1.1:49152/igd/ctl"]);
  expect(found(based("http://28.0.0.1/"))).toEqual(["http://192.168.1.1:5000/ctl"]);
});

test("connectionServices() finds nothing where there is nothing to find", () => {
  for (const xml of ["", "<html><p>sign in</html>", describe(["Layer3Forwarding:1", "/l3f"])])
    expect(connectionServices(xml, location, "192.168.1.1")).toEqual([]);
});

test("requests are SOAP that names the action twice and carries the values in their order", () => {
  const { method, url, headers, body } = addRequest(service, "AddPortMapping", {
    ownIp: "192.168.1.101",
    internalPort: 40_010,
    externalPort: 40_011,
    leaseSeconds: 3_600,
  });
  expect({ method, url }).toEqual({ method: "POST", url: service.controlUrl });
  expect(headers["SOAPAction"]).toBe(`"${service.type}#AddPortMapping"`);
  const root = readXml(body ?? "");
  const [action] = root === null ? [] : findElements(root, "AddPortMapping");
  expect(action?.children.map(({ name, text }) => `${name}=${text}`)).toEqual([
    "NewRemoteHost=",
    "NewExternalPort=40011",
    "NewProtocol=UDP",
    "NewInternalPort=40010",
    "NewInternalClient=192.168.1.101",
    "NewEnabled=1",
    "NewPortMappingDescription=p2p",
    "NewLeaseDuration=3600",
  ]);
  expect(externalIpRequest(service).body).toContain(`<u:GetExternalIPAddress xmlns:u="${service.type}"></u:`);
  expect(deleteRequest(service, 40_011).body).toContain("<NewExternalPort>40011</NewExternalPort>");
});

test("only version 2 of the service chooses ports", () => {
  expect(choosesPorts(service)).toBe(false);
  expect(choosesPorts({ ...service, type: service.type.replace(":1", ":2") })).toBe(true);
});

test("readSoapAnswer() reads what miniupnpd answered", () => {
  const external = readSoapAnswer("GetExternalIPAddress", { status: 200, body: recorded.externalIp });
  expect(externalIpIn(values(external))).toBe("28.1.0.10");
  expect(readSoapAnswer("AddPortMapping", { status: 200, body: recorded.added }).isDone).toBe(true);
  const reserved = readSoapAnswer("AddAnyPortMapping", { status: 200, body: recorded.reserved });
  expect(reservedPortIn(values(reserved))).toBe(40_010);
  const conflict = readSoapAnswer("AddPortMapping", { status: 500, body: recorded.conflict });
  expect(conflict).toEqual({ isDone: false, code: 718 });
});

test("readSoapAnswer() takes neither the answer to another action nor one that is none", () => {
  for (const body of [recorded.added, "", "<html/>", recorded.conflict.replace("718", "no number")])
    expect(readSoapAnswer("GetExternalIPAddress", { status: 200, body })).toEqual({ isDone: false, code: null });
  expect(readSoapAnswer("AddPortMapping", { status: 500, body: recorded.added }).isDone).toBe(false);
});

test("addresses and ports that make no sense are none", () => {
  for (const ip of ["", "0.0.0.0", "256.1.1.1", "2001:db8::1", "28.1.0.10; rm", "localhost"])
    expect(externalIpIn(() => ip)).toBeNull();
  for (const port of ["", "0", "65536", "-1", "4e4", "123456"]) expect(reservedPortIn(() => port)).toBeNull();
  expect([externalIpIn(() => null), reservedPortIn(() => null)]).toEqual([null, null]);
});
