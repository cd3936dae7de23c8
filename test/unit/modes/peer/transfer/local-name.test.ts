import { expect, test } from "bun:test";
import fc from "fast-check";
import { basename, posix, win32 } from "node:path";
import {
  foldedName,
  localName,
  numbered,
  partialPathIn,
  pathIn,
} from "../../../../../src/modes/peer/transfer/local-name.ts";

/** Remote names that hold what the rules are about far more often than chance would. */
const hostileNames = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...Array.from('./\\:*?"<>|-~ \0\n\r\u001b\u202e\u200d\ufeff\u2028\u00a0\u3000\ud800\udc00\u0338\u037e\u212a¹'),
        "%2e",
      ),
      fc.constantFrom(
        "CON",
        "nul",
        "com1",
        "LPT¹",
        "conin$",
        "clock$",
        "desktop.ini",
        "unnamed",
        "é",
        "e\u0301",
        "ß",
        "𝔘",
        "👩‍👩‍👧",
      ),
      fc.string({ unit: "binary", maxLength: 4 }),
      fc.string({ unit: "binary", minLength: 60, maxLength: 90 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

const device = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)[ .]*(?:\..*)?$/i;

function expectHarmless(name: string): void {
  expect(name).not.toBe("");
  expect(name).not.toMatch(/[/\\:*?"<>|\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  expect(name).not.toMatch(/^[.~ -]|[. ]$/);
  expect(name).not.toMatch(device);
  expect(name.isWellFormed()).toBe(true);
  expect(name).toBe(name.normalize("NFC"));
  expect(Buffer.byteLength(name)).toBeLessThanOrEqual(200);
  for (const system of [posix, win32]) expect(system.basename(system.join("C:\\in", name))).toBe(name);
}

const rebuilt: ReadonlyArray<readonly [number, string, string]> = [
  [146, "..", "unnamed"],
  [146, ".", "unnamed"],
  [146, "", "unnamed"],
  [146, "../x", "_._x"],
  [146, "a/../../x", "a_.._.._x"],
  [146, "/etc/x", "_etc_x"],
  [146, "C:\\x", "C__x"],
  [146, "C:x", "C_x"],
  [146, "\\\\host\\share", "__host_share"],
  [146, "\\??\\C:\\x", "____C__x"],
  [146, "a\\..\\x", "a_.._x"],
  [146, "%2e%2e%2f", "%2e%2e%2f"],
  [146, "a\0b", "ab"],
  [146, "~", "_"],
  [146, "~/x", "__x"],
  [146, "-rf", "_rf"],
  [147, "CON", "_CON"],
  [147, "nul.txt", "_nul.txt"],
  [147, "COM1", "_COM1"],
  [147, "COM¹", "_COM¹"],
  [147, "LPT9 ", "_LPT9"],
  [147, "AUX.", "_AUX"],
  [147, "CON .txt", "_CON .txt"],
  [147, "CONIN$", "_CONIN$"],
  [147, "console.log", "console.log"],
  [147, "x:stream", "x_stream"],
  [147, "x::$DATA", "x__$DATA"],
  [147, "x . .. ", "x"],
  [148, "a\nb\r\u001b[2Jc", "ab[2Jc"],
  [148, "exe\u202egpj.exe", "exegpj.exe"],
  [148, "a\u200b\ufeff\u2060b", "ab"],
  [148, "......", "unnamed"],
  [148, "invoice.pdf\u3000\u00a0   .exe", "invoice.pdf .exe"],
  [148, "a\ud800b", "a\ufffdb"],
  [149, ".bashrc", "_bashrc"],
  [149, ".ssh/authorized_keys", "_ssh_authorized_keys"],
  [149, ".git/config", "_git_config"],
  [149, "Desktop.ini", "_Desktop.ini"],
  [149, "autorun.inf", "_autorun.inf"],
  [149, `.${"0".repeat(32)}-1.part`, `_${"0".repeat(32)}-1.part`],
];

test.each(rebuilt)("bad input %d: localName() rebuilds %j to %j", (_number, remote, expected) => {
  expect(localName(remote) as string).toBe(expected);
  expectHarmless(expected);
});

const long: ReadonlyArray<readonly [string, string, string]> = [
  ["256 bytes", `${"a".repeat(252)}.txt`, ".txt"],
  ["10 KB", `${"name ".repeat(2_048)}.tar.gz`, ".gz"],
  ["255 characters of 4 bytes", `${"𝔘".repeat(255)}.png`, ".png"],
];

test.each(long)(
  "bad input 148: localName() cuts a name of %s to 200 bytes and keeps its extension",
  (_what, remote, extension) => {
    const name = localName(remote);
    expectHarmless(name);
    expect(Buffer.byteLength(name)).toBeGreaterThan(190);
    expect(name.endsWith(extension)).toBe(true);
  },
);

test("bad input 148: localName() takes an ending of a kilobyte for no extension", () => {
  const name = localName(`a.${"b".repeat(1_000)}`);
  expectHarmless(name);
  expect(name.startsWith("a.bbb")).toBe(true);
});

test.each(["report.pdf", "Straße 7.txt", "名前.tar.gz", "a (2).txt", "no extension", "x_y-z~.bak", "Ångström.ods"])(
  "localName() leaves %j as it is",
  (name) => expect(localName(name) as string).toBe(name),
);

test("localName() gives one harmless component whatever comes in", () => {
  fc.assert(
    fc.property(hostileNames, (remote) => expectHarmless(localName(remote))),
    { numRuns: 1_000 },
  );
});

test("localName() of a local name is the same name", () => {
  fc.assert(
    fc.property(hostileNames, (remote) => {
      const once = localName(remote);
      expect(localName(once)).toBe(once);
    }),
    { numRuns: 1_000 },
  );
});

test("pathIn() of a local name lies directly inside the folder", () => {
  fc.assert(
    fc.property(hostileNames, (remote) => {
      const name = localName(remote);
      expect(pathIn("/in/here", name)).toBe(`/in/here/${name}`);
      expect(basename(pathIn("/in/here", name))).toBe(name);
    }),
  );
});

test("numbered() puts the number before the extension and stays harmless within 255 bytes", () => {
  expect(numbered(localName("a.tar.gz"), 2) as string).toBe("a.tar (2).gz");
  expect(numbered(localName("README"), 999) as string).toBe("README (999)");
  fc.assert(
    fc.property(hostileNames, (remote) => {
      const name = numbered(localName(remote), 999);
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
      expect(name).not.toMatch(device);
    }),
  );
});

test("bad input 150: foldedName() is equal for names that differ in case or in composition only", () => {
  expect(foldedName("README.TXT")).toBe(foldedName("readme.txt"));
  expect(foldedName("e\u0301.txt")).toBe(foldedName("É.txt"));
  expect(foldedName("STRASSE")).toBe(foldedName("straße"));
  expect(foldedName("ΣΑΣ")).toBe(foldedName("σας"));
  expect(foldedName("a")).not.toBe(foldedName("b"));
});

test("partialPathIn() refuses an id that is not 32 hex digits", () => {
  expect(partialPathIn("/in", "ab".repeat(16), 3)).toBe(`/in/.${"ab".repeat(16)}-3.part`);
  expect(() => partialPathIn("/in", "../../x", 0)).toThrow(RangeError);
});
