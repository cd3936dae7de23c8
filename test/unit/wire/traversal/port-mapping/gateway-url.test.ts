import { expect, test } from "bun:test";
import { gatewayUrl } from "../../../../../src/wire/traversal/port-mapping/gateway-url.ts";

const gateway = "192.168.1.1";

test("gatewayUrl() takes http to the gateway's own address, at any port", () => {
  expect(gatewayUrl("http://192.168.1.1:5000/rootDesc.xml", gateway)).toBe("http://192.168.1.1:5000/rootDesc.xml");
  expect(gatewayUrl("http://192.168.1.1/a?b=c#d", gateway)).toBe("http://192.168.1.1/a?b=c");
});

test("gatewayUrl() reads a relative one against its base", () => {
  expect(gatewayUrl("/ctl/IPConn", gateway, "http://192.168.1.1:5000/rootDesc.xml")).toBe(
    "http://192.168.1.1:5000/ctl/IPConn",
  );
  expect(gatewayUrl("/ctl/IPConn", gateway)).toBeNull();
});

test("gatewayUrl() goes nowhere else", () => {
  for (const bad of [
    "https://192.168.1.1/",
    "file:///etc/passwd",
    "ftp://192.168.1.1/",
    "http://192.168.1.2/",
    "http://router.lan/",
    "http://192.168.1.1.example.com/",
    "http://192.168.1.1@28.0.0.1/",
    "http://ana:secret@192.168.1.1/",
    "http://127.0.0.1/",
    "http://[::1]/",
    "//28.0.0.1/x",
    "javascript:alert(1)",
    "",
    `http://192.168.1.1/${"x".repeat(1_024)}`,
  ])
    expect(gatewayUrl(bad, gateway)).toBeNull();
  expect(gatewayUrl("//28.0.0.1/x", gateway, "http://192.168.1.1/")).toBeNull();
  expect(gatewayUrl("http://28.0.0.1/x", gateway, "http://192.168.1.1/")).toBeNull();
});
