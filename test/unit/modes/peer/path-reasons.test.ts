import { expect, test } from "bun:test";
import { reasonText, whyRelayed } from "../../../../src/modes/peer/path-reasons.ts";
import { outlookOf, type Placement, placements, type Standing } from "../../../../src/wire/traversal/verdict.ts";

function at(placement: Placement, more: Partial<Standing> = {}): Standing {
  return { placement, hides: false, ipv6: false, portMapped: false, ...more };
}

/** What is said once all was tried. */
function said(own: Standing, theirs: Standing): string {
  const reason = whyRelayed(own, theirs, "tried");
  return reason === null ? "nothing" : reasonText(reason);
}

const HELP = "IPv6 or port mapping on either side would help";

test("whyRelayed() names what both NATs do, and what would help", () => {
  expect(said(at("random"), at("random"))).toBe(`both NATs pick a random port per destination; ${HELP}`);
  expect(said(at("block"), at("block"))).toBe(`both NATs pick a port of their block per destination; ${HELP}`);
  expect(said(at("pool"), at("random"))).toBe(
    `the NAT on this side picks a port and an address per destination, the NAT on their side picks a random port per destination; ${HELP}`,
  );
});

test("whyRelayed() names the one side whose NAT is hard", () => {
  const guess = "picks a random port per destination, and no guess came through";
  expect(said(at("independent"), at("random"))).toBe(`the NAT on their side ${guess}; ${HELP}`);
  expect(said(at("random"), at("open"))).toBe(`the NAT on this side ${guess}; ${HELP}`);
});

test("whyRelayed() names the side where UDP is blocked", () => {
  const help = "a network that lets UDP through would help";
  expect(said(at("independent"), at("blocked"))).toBe(`UDP is blocked on their side; ${help} on their side`);
  expect(said(at("blocked"), at("random"))).toBe(`UDP is blocked on this side; ${help} on this side`);
  expect(said(at("blocked"), at("blocked"))).toBe(`UDP is blocked on both sides; ${help} on both sides`);
});

test("whyRelayed() names the side that hides its address before anything else", () => {
  const hidden = { hides: true };
  expect(said(at("blocked", hidden), at("random"))).toBe(
    "this side hides its address (--relay-only); leave --relay-only out for a direct path",
  );
  expect(said(at("blocked"), at("unknown", hidden))).toBe(
    "their side hides its address; it is shown to whom they have accepted once, unless --relay-only is set there",
  );
  expect(said(at("open", hidden), at("open", hidden))).toEndWith(
    "leave --relay-only out for a direct path, on both sides",
  );
});

test("whyRelayed() is final where waiting does not help", () => {
  expect(whyRelayed(at("random"), at("random"), "tried")?.isFinal).toBe(true);
  expect(whyRelayed(at("random"), at("independent"), "tried")?.isFinal).toBe(false);
});

test("whyRelayed() knows from the beginning that nothing is shown", () => {
  expect(whyRelayed(at("open", { hides: true }), at("open"), "begun")).not.toBeNull();
  expect(whyRelayed(at("open"), at("unknown", { hides: true }), "begun")).not.toBeNull();
});

test("whyRelayed() asks for IPv6 on the side that lacks it", () => {
  expect(said(at("random", { ipv6: true }), at("random"))).toEndWith(
    "; IPv6 on their side or port mapping on either side would help",
  );
  expect(said(at("random"), at("random", { ipv6: true }))).toEndWith(
    "; IPv6 on this side or port mapping on either side would help",
  );
});

test("whyRelayed() suspects a firewall where no NAT is in the way", () => {
  for (const theirs of ["open", "independent"] as const)
    expect(said(at("independent"), at(theirs))).toBe(
      `nothing came through, though both networks should let it: a firewall may be in the way; ${HELP}`,
    );
});

for (const own of placements)
  test(`whyRelayed() waits with ${own} exactly while there is hope, and then has words for each of the eight placements`, () => {
    for (const theirs of placements) {
      const [here, there] = [at(own), at(theirs)];
      const isHopeless = outlookOf(here, there) === "none";
      expect(whyRelayed(here, there, "begun")).toBeNull();
      expect(whyRelayed(here, there, "known") !== null).toBe(isHopeless);
      const text = said(here, there);
      expect(text).toMatch(/^(both NATs|the NAT on|UDP is blocked|nothing came through)/);
      expect(text).toEndWith(isBlocked(here, there) ? "side" + (own === theirs ? "s" : "") : HELP);
      expect(text).not.toMatch(/undefined|null/);
    }
  });

function isBlocked(...both: readonly Standing[]): boolean {
  return both.some(({ placement }) => placement === "blocked");
}
