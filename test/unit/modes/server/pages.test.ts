import { expect, test } from "bun:test";
import { frontPage, pageHeaders } from "../../../../src/modes/server/http/pages.ts";

const fingerprint = "nhadfwjvcaykx4znoqs2tfwz7cgkmgj7uafo7w7yq5qfhqybwiba";
const html = frontPage({ fingerprint, secure: false });
const style = /<style>([^]*)<\/style>/.exec(html)?.[1] ?? "";
const matches = (pattern: RegExp) => [...html.matchAll(pattern)].map(([, found]) => found);

test("the page's policy allows its own style and nothing else", () => {
  const hash = new Bun.CryptoHasher("sha256").update(style).digest("base64");
  const policy = (pageHeaders["Content-Security-Policy"] ?? "").split("; ");
  expect(policy.sort()).toEqual([
    "base-uri 'none'",
    "default-src 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    `style-src 'sha256-${hash}'`,
  ]);
  expect(pageHeaders).toMatchObject({ "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff" });
});

test("the page has no script, no inline style, and leads nowhere else", () => {
  expect(html).not.toMatch(/<(script|img|link|iframe|form|object)\b|\son\w+=|\sstyle=|javascript:|url\(|@import/i);
  expect(matches(/\s(?:href|src)="([^"]*)"/g)).toEqual(["#program"]);
});

test("the page can be found one's way in: language, title, landmarks, headings in order, named sections", () => {
  expect(html).toStartWith('<!doctype html>\n<html lang="en">');
  expect(matches(/<title>(.*)<\/title>/g)).toEqual(["p2p server"]);
  for (const landmark of ["header", "main", "footer"]) expect(matches(RegExp(`<(${landmark})>`, "g"))).toHaveLength(1);
  expect(matches(/<h(\d)/g)).toEqual(["1", "2", "2", "2"]);
  const ids = matches(/<h2 id="([^"]*)"/g);
  expect(matches(/<section aria-labelledby="([^"]*)"/g)).toEqual(ids);
});

test("the page tells what it is, how to join, how to get the program, and the key", () => {
  for (const said of ["p2p server", "How to join", "How to get the program", "p2p://ADDRESS:PORT/#KEY.INVITATION"])
    expect(html).toContain(said);
  expect(html.split(fingerprint)).toHaveLength(2);
});

test("the page of a server that is reached by TLS shows lines that begin with p2ps, and is the same else", () => {
  const secure = frontPage({ fingerprint, secure: true });
  expect(secure).not.toContain("p2p://");
  expect(secure.replaceAll("p2ps://", "p2p://")).toBe(html);
});

/** WCAG 2.2, relative luminance of `#rrggbb` or `#rgb`. */
function luminance(color: string): number {
  const digits = color.length === 4 ? color.slice(1).replace(/./g, "$&$&") : color.slice(1);
  const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((at) => {
    const share = Number.parseInt(digits.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

const schemes = [...style.matchAll(/:root \{([^}]*)\}/g)].map(([, rules = ""]) =>
  Object.fromEntries([...rules.matchAll(/--(\w+): (#\w+);/g)].map(([, name = "", color = ""]) => [name, color])),
);

test("the page has a light and a dark scheme, chosen by the reader's system", () => {
  expect(schemes).toHaveLength(2);
  expect(style).toContain("@media (prefers-color-scheme: dark)");
  expect(schemes.map(({ paper = "" }) => luminance(paper) > 0.5)).toEqual([true, false]);
});

test.each(["ink", "quiet", "link"])(
  "the page's %s has a contrast of 7 to 1 on every ground, light and dark",
  (name) => {
    for (const { [name]: color = "", paper = "", tint = "" } of schemes)
      expect(Math.min(contrast(color, paper), contrast(color, tint))).toBeGreaterThanOrEqual(7);
  },
);

test("contrast() of black on white is 21, as WCAG has it", () => {
  expect(contrast("#000", "#ffffff")).toBeCloseTo(21, 5);
});
