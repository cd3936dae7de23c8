import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import {
  createPrivateFile,
  makePrivateFolder,
  readPrivateFile,
  replacePrivateFile,
} from "../../../../src/modes/runtime/private-file.ts";
import { temporaryFolder } from "../../../support/folder.ts";

const bytes = new TextEncoder().encode("secret");
const config = expect.objectContaining({ code: "config" });
const isRoot = process.getuid?.() === 0;

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

describe("createPrivateFile()", () => {
  test("makes a whole file, 0600, and leaves nothing else behind", () => {
    using folder = temporaryFolder();
    expect(createPrivateFile(folder.at("key"), bytes)).toBe(true);
    expect(readFileSync(folder.at("key"))).toEqual(Buffer.from(bytes));
    expect([modeOf(folder.at("key")), readdirSync(folder.path)]).toEqual([0o600, ["key"]]);
  });

  test("leaves a file that is there as it is", () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("key"), "first");
    expect(createPrivateFile(folder.at("key"), bytes)).toBe(false);
    expect([readFileSync(folder.at("key"), "utf8"), readdirSync(folder.path)]).toEqual(["first", ["key"]]);
  });

  test("does not write through a link", () => {
    using folder = temporaryFolder();
    symlinkSync(folder.at("elsewhere"), folder.at("key"));
    expect(createPrivateFile(folder.at("key"), bytes)).toBe(false);
    expect(readdirSync(folder.path)).toEqual(["key"]);
  });
});

describe("replacePrivateFile()", () => {
  test("puts another file in the place, 0600 whatever the one before was", () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("a"), "first", { mode: 0o644 });
    replacePrivateFile(folder.at("a"), bytes);
    expect([readFileSync(folder.at("a"), "utf8"), modeOf(folder.at("a"))]).toEqual(["secret", 0o600]);
    expect(readdirSync(folder.path)).toEqual(["a"]);
  });

  test("replaces a link, not what it points to", () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("other"), "other");
    symlinkSync(folder.at("other"), folder.at("a"));
    replacePrivateFile(folder.at("a"), bytes);
    expect([lstatSync(folder.at("a")).isFile(), readFileSync(folder.at("other"), "utf8")]).toEqual([true, "other"]);
  });

  test("says which file could not be saved", () => {
    using folder = temporaryFolder();
    expect(() => replacePrivateFile(folder.at("none/a"), bytes)).toThrow(config);
    expect(() => replacePrivateFile(folder.at("none/a"), bytes)).toThrow(folder.at("none/a"));
  });
});

test.each([0o000, 0o777])("bad input 177: with umask %o files are still 0600 and folders 0700", (umask) => {
  using folder = temporaryFolder();
  const before = process.umask(umask);
  try {
    makePrivateFolder(folder.at("home"));
    createPrivateFile(folder.at("home/key"), bytes);
    replacePrivateFile(folder.at("home/account"), bytes);
  } finally {
    process.umask(before);
  }
  const modes = [modeOf(folder.at("home")), modeOf(folder.at("home/key")), modeOf(folder.at("home/account"))];
  expect(modes).toEqual([0o700, 0o600, 0o600]);
});

describe("bad input 170: readPrivateFile() of a file", () => {
  test("that is missing gives null", () => {
    using folder = temporaryFolder();
    expect(readPrivateFile(folder.at("key"), "secret")).toBeNull();
  });

  test("that is safe gives its bytes", () => {
    using folder = temporaryFolder();
    createPrivateFile(folder.at("key"), bytes);
    expect(readPrivateFile(folder.at("key"), "secret")).toEqual(bytes);
  });

  test.each([
    [0o644, "secret", "others may read it (mode 0644)"],
    [0o640, "secret", "others may read it (mode 0640)"],
    [0o604, "secret", "others may read it (mode 0604)"],
    [0o622, "own", "others may change it (mode 0622)"],
    [0o602, "own", "others may change it (mode 0602)"],
  ] as const)("with mode %o kept as %s shows the command that mends it", (mode, privacy, why) => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("key"), bytes);
    chmodSync(folder.at("key"), mode);
    const hint = `chmod 600 "${folder.at("key")}"`;
    expect(() => readPrivateFile(folder.at("key"), privacy)).toThrow(expect.objectContaining({ code: "config", hint }));
    expect(() => readPrivateFile(folder.at("key"), privacy)).toThrow(why);
  });

  test("that others may only read is good enough where it is no secret", () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("a"), bytes);
    chmodSync(folder.at("a"), 0o644);
    expect(readPrivateFile(folder.at("a"), "own")).toEqual(bytes);
  });

  test("that is a link, or a folder, is refused", () => {
    using folder = temporaryFolder();
    createPrivateFile(folder.at("real"), bytes);
    symlinkSync(folder.at("real"), folder.at("key"));
    expect(() => readPrivateFile(folder.at("key"), "secret")).toThrow("symbolic link");
    mkdirSync(folder.at("folder"));
    expect(() => readPrivateFile(folder.at("folder"), "secret")).toThrow(config);
  });

  test.if(isRoot)("that belongs to somebody else is refused with the command that mends it", () => {
    using folder = temporaryFolder();
    createPrivateFile(folder.at("key"), bytes);
    chownSync(folder.at("key"), 12_345, 12_345);
    expect(() => readPrivateFile(folder.at("key"), "secret")).toThrow(
      expect.objectContaining({
        message: expect.stringContaining("belongs to somebody else"),
        hint: expect.stringMatching(/^run p2p as its owner: runuser /),
      }),
    );
  });
});

describe("bad input 174: makePrivateFolder()", () => {
  test("makes a folder and its parents, and takes one that is there as it is", () => {
    using folder = temporaryFolder();
    makePrivateFolder(folder.at("a/b"));
    makePrivateFolder(folder.at("a/b"));
    mkdirSync(folder.at("open"), { mode: 0o755 });
    makePrivateFolder(folder.at("open"));
    expect([modeOf(folder.at("a/b")), modeOf(folder.at("open"))]).toEqual([0o700, 0o755]);
    expect(readdirSync(folder.at("a/b"))).toEqual([]);
  });

  test("refuses what is no folder, or cannot be made", () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("file"), "");
    expect(() => makePrivateFolder(folder.at("file"))).toThrow(config);
    expect(() => makePrivateFolder(folder.at("file/home"))).toThrow(config);
  });

  test.if(process.platform === "linux")("refuses a folder on a read-only file system, also to root", () => {
    expect(() => makePrivateFolder("/proc/sys/p2p")).toThrow(config);
  });

  test("refuses one that everybody may write to", () => {
    using folder = temporaryFolder();
    chmodSync(folder.path, 0o777);
    expect(() => makePrivateFolder(folder.path)).toThrow(
      expect.objectContaining({ code: "config", hint: `chmod 700 "${folder.path}"` }),
    );
  });
});
