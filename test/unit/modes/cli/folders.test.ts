import { describe, expect, test } from "bun:test";
import { dataFolder, homeFolder, type Place } from "../../../../src/modes/cli/folders.ts";

const linux: Place = {
  env: { HOME: "/home/ana" },
  platform: "linux",
  isRoot: false,
  userFolder: "/home/ana",
  currentFolder: "/here",
};
const windows: Place = {
  env: { USERPROFILE: "C:\\Users\\ana", LOCALAPPDATA: "C:\\Users\\ana\\AppData\\Local" },
  platform: "win32",
  isRoot: false,
  userFolder: "C:\\Users\\ana",
  currentFolder: "D:\\here",
};

describe("homeFolder()", () => {
  test("follows each system's custom", () => {
    expect(homeFolder(null, linux)).toBe("/home/ana/.local/share/p2p");
    expect(homeFolder(null, { ...linux, env: { ...linux.env, XDG_DATA_HOME: "/data" } })).toBe("/data/p2p");
    expect(homeFolder(null, { ...linux, platform: "darwin" })).toBe("/home/ana/Library/Application Support/p2p");
    expect(homeFolder(null, windows)).toBe("C:\\Users\\ana\\AppData\\Local\\p2p");
    expect(homeFolder(null, { ...windows, env: {} })).toBe("C:\\Users\\ana\\AppData\\Local\\p2p");
  });

  test("ignores a relative XDG_DATA_HOME, as its rules say", () => {
    expect(homeFolder(null, { ...linux, env: { ...linux.env, XDG_DATA_HOME: "data" } })).toBe(
      "/home/ana/.local/share/p2p",
    );
  });

  test("takes --home from where the person stands", () => {
    expect(homeFolder("mine", linux)).toBe("/here/mine");
    expect(homeFolder("/mine", linux)).toBe("/mine");
    expect(homeFolder("mine", windows)).toBe("D:\\here\\mine");
  });

  test("bad input 177: without HOME asks the system, and says so when that knows nothing", () => {
    expect(homeFolder(null, { ...linux, env: {} })).toBe("/home/ana/.local/share/p2p");
    expect(() => homeFolder(null, { ...linux, env: {}, userFolder: null })).toThrow(
      expect.objectContaining({ code: "config", hint: "set HOME, or give --home DIR" }),
    );
  });
});

describe("dataFolder()", () => {
  test("is what --data says, else systemd's folder, else root's, else beside the home", () => {
    expect(dataFolder("d", linux)).toBe("/here/d");
    expect(dataFolder(null, { ...linux, env: { STATE_DIRECTORY: "/var/lib/x:/var/lib/y" } })).toBe("/var/lib/x");
    expect(dataFolder(null, { ...linux, isRoot: true })).toBe("/var/lib/p2p");
    expect(dataFolder(null, linux)).toBe("/home/ana/.local/share/p2p-server");
  });

  test("needs no home where it has a place of its own", () => {
    expect(dataFolder(null, { ...linux, isRoot: true, env: {}, userFolder: null })).toBe("/var/lib/p2p");
  });
});
