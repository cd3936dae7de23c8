import { expect, test } from "bun:test";
import { utf8 } from "../../../../../src/wire/bytes.ts";
import { decodeSearchAnswer, encodeSearch, SSDP_GROUP } from "../../../../../src/wire/traversal/port-mapping/ssdp.ts";
import { recorded } from "../../../../support/recorded-gateway.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

test("encodeSearch() asks the group for a gateway, which may wait a second, and one device without", () => {
  expect(text(encodeSearch(SSDP_GROUP))).toBe(
    'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n',
  );
  expect(text(encodeSearch({ ip: "192.168.1.1", port: 1_900 }))).not.toContain("MX:");
});

test("decodeSearchAnswer() finds where miniupnpd describes itself", () => {
  expect(decodeSearchAnswer(utf8(recorded.search))).toBe("http://192.168.1.1:5000/rootDesc.xml");
});

test("decodeSearchAnswer() takes the header in any case, with and without blanks and carriage returns", () => {
  for (const header of ["Location:http://1.2.3.4/", "LOCATION:   http://1.2.3.4/  ", "location:\thttp://1.2.3.4/"])
    expect(decodeSearchAnswer(utf8(`HTTP/1.1 200 OK\n${header}\n\n`))).toBe("http://1.2.3.4/");
});

test("decodeSearchAnswer() refuses what is no answer to a search", () => {
  const long = `HTTP/1.1 200 OK\r\nLOCATION: http://1.2.3.4/${"x".repeat(1_024)}\r\n\r\n`;
  const longer = `HTTP/1.1 200 OK\r\nX: ${"x".repeat(2_048)}\r\nLOCATION: http://1.2.3.4/\r\n\r\n`;
  for (const bad of [
    "",
    text(encodeSearch(SSDP_GROUP)),
    recorded.search.replace("200 OK", "404 Not Found"),
    "HTTP/1.1 200 OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\nLOCATION: \r\n\r\n",
    "HTTP/1.1 200 OK\r\nLOCATION: http://1.2.3.4/ or elsewhere\r\n\r\n",
    "HTTP/1.1 200 OK\r\nLOCATION: http://1.2.3.4/\u0007\r\n\r\n",
    long,
    longer,
  ])
    expect(decodeSearchAnswer(utf8(bad))).toBeNull();
});
