import { expect, test } from "bun:test";
import {
  defaultInProcIpv6Route,
  defaultInProcRoute,
  defaultsInNetstat,
  defaultsInRoutePrint,
} from "../../../../../src/modes/peer/port-mapping/route-tables.ts";

const header = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
const row = (name: string, destination: string, gateway: string, flags: string, metric: number, mask: string) =>
  `${name}\t${destination}\t${gateway}\t${flags}\t0\t0\t${metric}\t${mask}\t0\t0\t0   \n`;

test("defaultInProcRoute() finds the gateway of the default route", () => {
  const table = header + row("eth0", "00000000", "0101A8C0", "0003", 0, "00000000");
  expect(defaultInProcRoute(table + row("eth0", "0001A8C0", "00000000", "0001", 0, "00FFFFFF"))).toEqual({
    gatewayIp: "192.168.1.1",
  });
});

test("defaultInProcRoute() takes the route with the lowest metric", () => {
  const wifi = row("wlan0", "00000000", "0132A8C0", "0003", 600, "00000000");
  const cable = row("eth0", "00000000", "0101A8C0", "0003", 100, "00000000");
  expect(defaultInProcRoute(header + wifi + cable)).toEqual({ gatewayIp: "192.168.1.1" });
});

test("defaultInProcRoute() finds none in a tunnel, in half a default route, and where nothing can be read", () => {
  const tunnel = row("tun0", "00000000", "00000000", "0001", 50, "00000000");
  const half = row("tun0", "00000000", "0101A8C0", "0003", 50, "00000080");
  for (const table of ["", header, header + tunnel, header + half, "nonsense\n\n\t\t", `${header}eth0\t00000000`])
    expect(defaultInProcRoute(table)).toBeNull();
});

const ipv6 = (gateway: string, metric: string, flags: string, name: string) =>
  `${"0".repeat(32)} 00 ${"0".repeat(32)} 00 ${gateway} ${metric} 00000001 00000000 ${flags} ${name.padStart(8)}\n`;

test("defaultInProcIpv6Route() keeps the zone of a link-local gateway, and of no other", () => {
  const local = ipv6("fe800000000000001cc33efffe195034", "00000400", "00450003", "wlan0");
  const global = ipv6("20010db8000100010000000000000001", "00000100", "00000003", "eth0");
  expect(defaultInProcIpv6Route(local)).toEqual({ gatewayIp: "fe80::1cc3:3eff:fe19:5034%wlan0" });
  expect(defaultInProcIpv6Route(local + global)).toEqual({ gatewayIp: "2001:db8:1:1::1" });
});

test("defaultInProcIpv6Route() is not taken in by the kernel's own rejecting route", () => {
  expect(defaultInProcIpv6Route(ipv6("0".repeat(32), "ffffffff", "00200200", "lo"))).toBeNull();
  expect(defaultInProcIpv6Route("")).toBeNull();
});

const macOs = `Routing tables

Internet:
Destination        Gateway            Flags               Netif Expire
default            192.168.1.1        UGScg                 en0       
default            link#14            UCSIg           bridge100      !
default            10.8.0.1           UGScIg              utun4       
127                127.0.0.1          UCS                   lo0       
169.254            link#6             UCS                   en0      !
192.168.1          link#6             UCS                   en0      !
192.168.1.1/32     link#6             UCS                   en0      !

Internet6:
Destination                             Gateway                                 Flags               Netif Expire
default                                 fe80::1%en0                             UGcg                  en0       
default                                 fe80::%utun0                            UGcIg               utun0       
::1                                     ::1                                     UHL                   lo0       
fe80::%lo0/64                           fe80::1%lo0                             UcI                   lo0       
`;

test("defaultsInNetstat() finds the first default route of each family, and none that holds for one interface alone", () => {
  expect(defaultsInNetstat(macOs)).toEqual([{ gatewayIp: "192.168.1.1" }, { gatewayIp: "fe80::1%en0" }]);
  expect(defaultsInNetstat(macOs.replace("UGScg ", "UGScIg"))).toEqual([{ gatewayIp: "fe80::1%en0" }]);
  expect(defaultsInNetstat("")).toEqual([]);
});

const windows = `===========================================================================
Schnittstellenliste
 12...00 15 5d 01 02 03 ......Hyper-V Virtual Ethernet Adapter
  1...........................Software Loopback Interface 1
===========================================================================

IPv4-Routentabelle
===========================================================================
Aktive Routen:
     Netzwerkziel    Netzwerkmaske          Gateway    Schnittstelle Metrik
          0.0.0.0          0.0.0.0      192.168.2.1     192.168.2.23     50
          0.0.0.0          0.0.0.0      192.168.1.1     192.168.1.50     25
        127.0.0.0        255.0.0.0   Auf Verbindung         127.0.0.1    331
===========================================================================
Ständige Routen:
  Netzwerkadresse          Netzmaske  Gatewayadresse  Metrik
          0.0.0.0          0.0.0.0       10.0.0.138  Standard
===========================================================================

IPv6-Routentabelle
===========================================================================
Aktive Routen:
 If Metrik Netzwerkziel             Gateway
 12    281 ::/0                     fe80::d6ca:6dff:fe12:3456
  1    331 ::1/128                  Auf Verbindung
===========================================================================
Ständige Routen:
  Keine
`.replaceAll("\n", "\r\n");

test("defaultsInRoutePrint() reads the table in any language, lowest metric first, and the interface's number as a zone", () => {
  expect(defaultsInRoutePrint(windows)).toEqual([
    { gatewayIp: "192.168.1.1" },
    { gatewayIp: "fe80::d6ca:6dff:fe12:3456%12" },
  ]);
  expect(defaultsInRoutePrint("")).toEqual([]);
});
