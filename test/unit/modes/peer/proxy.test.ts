import { expect, test } from "bun:test";
import { type Environment, proxyFor } from "../../../../src/modes/peer/proxy.ts";

const plain = "ws://p2p.example.org:7420/v1/channel";
const secure = "wss://p2p.example.org/v1/channel";

test("proxyFor() gives none where the environment names none", () => {
  for (const env of [{}, { HTTPS_PROXY: "", http_proxy: " " }]) expect(proxyFor(plain, env)).toBeNull();
});

test("proxyFor() reads the variables that others read, lower case first", () => {
  const places = (env: Environment) => [proxyFor(plain, env)?.place, proxyFor(secure, env)?.place];
  expect(places({ HTTP_PROXY: "http://one:1" })).toEqual(["one:1", undefined]);
  expect(places({ HTTPS_PROXY: "http://two:2" })).toEqual(["two:2", "two:2"]);
  expect(places({ ALL_PROXY: "http://all:3" })).toEqual(["all:3", "all:3"]);
  const both = { HTTP_PROXY: "http://one:1", HTTPS_PROXY: "http://two:2", ALL_PROXY: "http://all:3" };
  expect(places(both)).toEqual(["one:1", "two:2"]);
  expect(places({ ...both, http_proxy: "http://low:4", https_proxy: "http://law:5" })).toEqual(["low:4", "law:5"]);
});

test.each([
  ["proxy.corp:3128", "proxy.corp:3128", "http://proxy.corp:3128/"],
  ["http://proxy.corp", "proxy.corp:80", "http://proxy.corp/"],
  ["https://proxy.corp", "proxy.corp:443", "https://proxy.corp/"],
  ["http://[2001:db8::1]:8080/", "[2001:db8::1]:8080", "http://[2001:db8::1]:8080/"],
])("proxyFor() understands %s", (value, place, url) =>
  expect(proxyFor(secure, { HTTPS_PROXY: value })).toEqual({ url, place, variable: "HTTPS_PROXY", hasPassword: false }),
);

test("proxyFor() keeps name and password out of what is shown", () => {
  const proxy = proxyFor(secure, { https_proxy: "http://ana:p%40ss@proxy.corp:3128" });
  expect(proxy).toMatchObject({ place: "proxy.corp:3128", variable: "https_proxy", hasPassword: true });
  expect(proxy?.url).toContain("ana:p%40ss@");
});

test.each(["socks5://ana:planted@127.0.0.1:1080", "http://ana:planted@", "ftp://x", "http://a b"])(
  "proxyFor() refuses %s without repeating it",
  (value) => {
    const refuse = () => proxyFor(plain, { ALL_PROXY: value });
    expect(refuse).toThrow(
      expect.objectContaining({ code: "config", message: expect.stringContaining("in ALL_PROXY:") }),
    );
    expect(refuse).not.toThrow(/planted|ana/);
  },
);

test("proxyFor() obeys NO_PROXY, and never goes through a proxy to this machine", () => {
  const env = { ALL_PROXY: "http://proxy.corp:3128" };
  expect(proxyFor(plain, { ...env, NO_PROXY: "example.org:7420" })).toBeNull();
  expect(proxyFor(secure, { ...env, NO_PROXY: "example.org:7420" })).not.toBeNull();
  expect(proxyFor(secure, { ...env, no_proxy: "example.org:443" })).toBeNull();
  expect(proxyFor("ws://[2001:db8::7]:7420/", { ...env, NO_PROXY: "2001:db8::/32" })).toBeNull();
  for (const host of ["127.0.0.1", "[::1]", "localhost", "p2p.localhost"])
    expect(proxyFor(`ws://${host}:7420/`, env)).toBeNull();
});
