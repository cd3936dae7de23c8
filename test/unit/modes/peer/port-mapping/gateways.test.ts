import { expect, test } from "bun:test";
import { networkInterfaces, type NetworkInterfaceInfo } from "node:os";
import { defaultRoutes, ownGateways } from "../../../../../src/modes/peer/port-mapping/gateways.ts";
import { sourceTowardsInternet } from "../../../../../src/modes/peer/port-mapping/own-source.ts";
import { canonicalIp } from "../../../../../src/wire/address.ts";

const sockets = [
  { socket: 0, family: 4, port: 40_000 },
  { socket: 1, family: 6, port: 40_001 },
] as const;

function of(cidr: string, scopeid = 0): NetworkInterfaceInfo {
  const [address = ""] = cidr.split("/");
  const common = { address, netmask: "", mac: "00:00:00:00:00:00", internal: false, cidr };
  return address.includes(":") ? { ...common, family: "IPv6", scopeid } : { ...common, family: "IPv4" };
}

const machine = {
  lo: [{ ...of("127.0.0.1/8"), internal: true }],
  eth0: [of("192.168.1.101/24"), of("2001:db8:1:1::101/64"), of("2001:db8:1:1::abcd/64"), of("fe80::2/64", 2)],
  wlan0: [of("192.168.2.7/24"), of("2001:db8:2:2::7/64"), of("fe80::3/64", 3)],
};
const read = () => machine;
const sources = ["192.168.1.101", "2001:db8:1:1::abcd"];

test("ownGateways() finds the one address of IPv4 beside its gateway, with the port of its socket", () => {
  expect(ownGateways([{ gatewayIp: "192.168.1.1" }], sockets, sources, read)).toEqual([
    { ownIp: "192.168.1.101", gatewayIp: "192.168.1.1", internalPort: 40_000 },
  ]);
});

test("ownGateways() finds all global addresses of IPv6 on the gateway's interface, by name, number or network", () => {
  const wanted = ["2001:db8:1:1::101", "2001:db8:1:1::abcd"];
  for (const gatewayIp of ["fe80::1%eth0", "fe80::1%2", "2001:db8:1:1::1"]) {
    const found = ownGateways([{ gatewayIp }], sockets, sources, read);
    expect(found).toEqual(wanted.map((ownIp) => ({ ownIp, gatewayIp, internalPort: 40_001 })));
  }
});

test("ownGateways() finds nothing where nothing is to be gained", () => {
  const own = (gatewayIp: string, cidr: string) =>
    ownGateways([{ gatewayIp }], sockets, [cidr.split("/")[0] ?? ""], () => ({ eth0: [of(cidr)] })).map(
      ({ ownIp }) => ownIp,
    );
  expect(own("28.1.0.1", "28.1.0.10/24")).toEqual([]);
  expect(own("fd00::1", "fd00::7/64")).toEqual([]);
  expect(own("192.168.9.1", "192.168.1.101/24")).toEqual([]);
  expect(own("100.64.0.1", "100.64.0.9/10")).toEqual(["100.64.0.9"]);
  expect(ownGateways([{ gatewayIp: "192.168.1.1" }], [], sources, read)).toEqual([]);
});

test("ownGateways() leaves a gateway alone that the way to the internet leads past, as beside a tunnel", () => {
  const routes = [{ gatewayIp: "192.168.1.1" }, { gatewayIp: "fe80::1%eth0" }];
  expect(ownGateways(routes, sockets, ["10.8.0.2", "2001:db8:2:2::7"], read)).toEqual([]);
  expect(ownGateways(routes, sockets, [], read)).toEqual([]);
});

test("sourceTowardsInternet() is an address of this machine, or none", async () => {
  const own = Object.values(networkInterfaces()).flatMap((infos) => (infos ?? []).map(({ address }) => address));
  for (const family of [4, 6] as const) {
    const ip = await sourceTowardsInternet(family);
    expect(ip === null || own.includes(ip), `${ip}`).toBe(true);
  }
});

test("defaultRoutes() asks this system, and tells addresses or nothing", async () => {
  const routes = await defaultRoutes();
  expect(routes.length).toBeLessThanOrEqual(2);
  for (const { gatewayIp } of routes) expect(canonicalIp(gatewayIp)).toBe(gatewayIp.split("%", 1)[0] ?? "");
});

test.skipIf(process.platform === "win32")(
  "defaultRoutes() finds none where another system's command is asked for",
  async () => {
    expect(await defaultRoutes("win32")).toEqual([]);
  },
);
