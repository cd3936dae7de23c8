import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { UserError } from "../../../../src/modes/cli/errors.ts";
import { readSettingsFile, type SettingsFileKind } from "../../../../src/modes/cli/settings-file.ts";
import { Settings } from "../../../../src/modes/cli/settings.ts";

const folder = mkdtempSync(path.join(tmpdir(), "p2p-settings-"));
const file = path.join(folder, "config.toml");
afterAll(() => rmSync(folder, { recursive: true }));

function read(text: string | Uint8Array, kind: SettingsFileKind = "peer"): Settings {
  writeFileSync(file, text);
  return new Settings([readSettingsFile(file, kind)]);
}

function refusal(text: string | Uint8Array, kind: SettingsFileKind = "peer"): UserError {
  try {
    read(text, kind);
  } catch (error) {
    return error as UserError;
  }
  throw new Error(`accepted: ${String(text)}`);
}

test("readSettingsFile() reads one setting a line, with comments and blank lines between", () => {
  const settings = read(
    "# mine\n\nwait = 5   # seconds\n  yes=true\nout = \"a # b\"\ncolor = 'never'\nmax-bytes = 1_000\n",
  );
  expect([
    settings.waitMs,
    settings.yes,
    settings.get("out"),
    settings.get("color"),
    settings.get("max-bytes"),
  ]).toEqual([5_000, true, "a # b", "never", 1_000]);
  expect(settings.origin("wait")).toBe("file");
});

test("readSettingsFile() takes a list, or the line again, where a flag may be repeated", () => {
  const listen = [
    { host: null, port: 1 },
    { host: "::1", port: 2 },
  ];
  expect(read('listen = [":1", "[::1]:2"]', "server").get("listen")).toEqual(listen);
  expect(read('listen = ":1"\nlisten = "[::1]:2"', "server").get("listen")).toEqual(listen);
});

describe("bad input 168:", () => {
  test("a missing or empty file has no settings", () => {
    rmSync(file, { force: true });
    expect(readSettingsFile(file, "peer").values.size).toBe(0);
    expect(readSettingsFile(path.join(file, "x"), "peer").values.size).toBe(0);
    expect(read("").origin("wait")).toBe("default");
  });

  test("BOM and CRLF change nothing", () => {
    expect(read("\ufeffwait = 5\r\nyes = true\r\n").waitMs).toBe(5_000);
  });

  test.each([
    ["wait = 5\nwiat = 6", "2: wiat: there is no such setting", "did you mean: wait"],
    ["relay_only = true", "1: relay_only: there is no such setting", "did you mean: relay-only"],
    ["frobnicate = 1", "1: frobnicate: there is no such setting", "known are"],
    ["__proto__ = 1", "1: __proto__: there is no such setting", "known are"],
    ["wait", "1: this is no setting", "one setting a line"],
    ["[table]", "1: this is no setting", "one setting a line"],
    ["a.b = 1", "1: this is no setting", "one setting a line"],
    ['{"wait": 5}', "1: this is no setting", "one setting a line"],
    ["\n\nwait = ", "3: wait: the value cannot be read", "quotes"],
    ["wait = five", "1: wait: the value cannot be read", "quotes"],
    ['out = "a', "1: out: the value cannot be read", "quotes"],
    ["wait = 5 6", "1: wait: the value cannot be read", "quotes"],
    ['wait = "soon"', "1: wait: ", "60"],
    ["wait = true", "1: wait: this takes a value", "wait ="],
    ["wait = [5]", "1: wait: this takes one value", "brackets"],
    ["wait = { a = 5 }", "1: wait: the value is neither", "one of these"],
    ["yes = 1", "1: yes: this is true or false", "yes = true"],
    ['yes = "true"', "1: yes: this is true or false", "yes = true"],
    ["wait = 5\nwait = 6", "2: wait: it stands in line 1 already", "keep one"],
    ['home = "x"', "1: home: this cannot be set in this file", "command line"],
    ['listen = ":1"', "1: listen: this cannot be set in this file", "command line"],
    ["invisible = true", "1: invisible: this version does not have this setting", "remove"],
    ["limit-rings = 3", "1: limit-rings: this cannot be set in this file", "server.toml"],
    ["yes = true\nno = true", "2: no: it excludes", "one of them"],
  ])("%j is refused with file, line and key", (text, message, hint) => {
    const error = refusal(text);
    expect(error.code).toBe("config");
    expect(error.message).toStartWith(file);
    expect(error.message.replace(`${file}:`, "")).toStartWith(message);
    expect(error.hint).toContain(hint);
  });

  test("a server's setting stands in a server's file only, and the other way round", () => {
    expect(read("no-relay = true", "server").get("no-relay")).toBe(true);
    expect(refusal("wait = 5", "server").message).toContain("cannot be set in this file");
  });

  test("10 MB, a folder, what is no text: refused with the file", () => {
    expect(refusal("#".repeat(10_000_000)).message).toBe(`${file}: the file is larger than 1 MiB`);
    expect(refusal(new Uint8Array([0xff, 0xfe, 0x00])).message).toBe(`${file}: the file is not UTF-8 text`);
    expect(() => readSettingsFile(folder, "peer")).toThrow(
      expect.objectContaining({ code: "config", message: `${folder}: this is a folder, not a file` }),
    );
  });
});
