import { expect, test } from "bun:test";
import { outlookOf, type Placement, placements, type Standing } from "../../../../src/wire/traversal/verdict.ts";

function at(placement: Placement, more: Partial<Standing> = {}): Standing {
  return { placement, hides: false, ipv6: false, portMapped: false, ...more };
}

/** s sure, l likely, u unlikely, - none, ? unknown; the columns in the order of the rows. */
const expected: Readonly<Record<Placement, string>> = {
  open: "s ? - s l l l l",
  unknown: "? ? - ? ? ? ? ?",
  blocked: "- - - - - - - -",
  independent: "s ? - s l l u l",
  sequential: "l ? - l l u - -",
  block: "l ? - l u - - -",
  pool: "l ? - u - - - -",
  random: "l ? - l - - - -",
};
const letters = { sure: "s", likely: "l", unlikely: "u", none: "-", unknown: "?" } as const;

for (const own of placements)
  test(`outlookOf() tells what ${own} finds with each of the eight placements`, () => {
    expect(placements.map((theirs) => letters[outlookOf(at(own), at(theirs))]).join(" ")).toBe(expected[own]);
  });

test("outlookOf() is the same from both ends, whatever else is known of them", () => {
  const flags = [{}, { ipv6: true }, { portMapped: true }, { hides: true }];
  const all = placements.flatMap((placement) => flags.map((more) => at(placement, more)));
  for (const own of all) for (const theirs of all) expect(outlookOf(own, theirs)).toBe(outlookOf(theirs, own));
});

test("outlookOf() finds nothing where one end hides its address, whatever its network", () => {
  for (const theirs of placements)
    expect(outlookOf(at("open", { hides: true }), at(theirs, { ipv6: true }))).toBe("none");
});

test("outlookOf() is sure where both have IPv6, though UDP is blocked over IPv4", () => {
  expect(outlookOf(at("blocked", { ipv6: true }), at("random", { ipv6: true }))).toBe("sure");
  expect(outlookOf(at("random", { ipv6: true }), at("random"))).toBe("none");
});

test("outlookOf() is sure where one end has a mapped port that the other can send to", () => {
  expect(outlookOf(at("random", { portMapped: true }), at("random"))).toBe("sure");
  expect(outlookOf(at("random", { portMapped: true }), at("blocked"))).toBe("none");
});
