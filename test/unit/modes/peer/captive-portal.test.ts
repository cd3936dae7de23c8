import { expect, test } from "bun:test";
import { mustSignIn, portalIn } from "../../../../src/modes/peer/captive-portal.ts";

const url = "http://203.0.113.7:7420/v1/key";
const answer = (status: number, headers: Record<string, string> = {}) =>
  portalIn({ status, headers: new Headers(headers) }, url);

test("portalIn() knows a redirect to another host, a page, and the status that says so", () => {
  expect(answer(302, { Location: "http://portal.example:8002/login?u=1" })).toEqual({ host: "portal.example" });
  expect(answer(307, { Location: "//10.0.0.1/" })).toEqual({ host: "10.0.0.1" });
  expect(answer(200, { "Content-Type": "text/html; charset=utf-8" })).toEqual({ host: null });
  expect(answer(511)).toEqual({ host: null });
  expect(answer(511, { Location: "https://portal.example/" })).toEqual({ host: "portal.example" });
});

test("portalIn() takes no server's answer for one, and no ordinary web site's", () => {
  expect(answer(200, { "Content-Type": "text/plain; charset=utf-8" })).toBeNull();
  expect(answer(200)).toBeNull();
  expect(answer(404, { "Content-Type": "text/html" })).toBeNull();
  expect(answer(503)).toBeNull();
  expect(answer(301, { Location: "https://203.0.113.7/v1/key" })).toBeNull();
  expect(answer(302, { Location: "/login" })).toBeNull();
  for (const Location of ["", "http://", "::::", "mailto:x"]) expect(answer(302, { Location })).toBeNull();
});

test("portalIn() shows a host in plain letters, whatever the network says", () => {
  expect(answer(302, { Location: "http://xn--e1afmkfd.example/\u001b[2J" })).toEqual({ host: "xn--e1afmkfd.example" });
  expect(answer(302, { Location: `http://${"a.".repeat(200)}example/` })).toBeNull();
});

test("mustSignIn() says what to do", () => {
  expect(mustSignIn("203.0.113.7:7420", { host: "portal.example" })).toMatchObject({
    code: "server-unreachable",
    side: "local",
    message: "cannot reach the server at 203.0.113.7:7420: this network wants you to sign in first, at portal.example",
  });
});
