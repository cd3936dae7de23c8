import { expect, test } from "bun:test";
import { type DownloadsPlace, downloadsFolder } from "../../../../../src/modes/peer/guided/downloads.ts";

function place(more: Partial<DownloadsPlace>): DownloadsPlace {
  return { env: { HOME: "/home/ana" }, platform: "linux", read: () => null, ...more };
}

test("downloadsFolder() takes what the environment says", () => {
  expect(downloadsFolder(place({ env: { HOME: "/home/ana", XDG_DOWNLOAD_DIR: "/data/in" } }))).toBe("/data/in");
});

test.each([
  [
    '# comment\nXDG_DESKTOP_DIR="$HOME/Bureau"\nXDG_DOWNLOAD_DIR="$HOME/Téléchargements/"\n',
    "/home/ana/Téléchargements",
  ],
  ['XDG_DOWNLOAD_DIR="/mnt/big"\n', "/mnt/big"],
  ['XDG_DOWNLOAD_DIR="$HOME/"\n', "/home/ana/Downloads"],
  ['XDG_DOWNLOAD_DIR="$(rm -rf /)"\n', "/home/ana/Downloads"],
  ["nothing of use", "/home/ana/Downloads"],
])("downloadsFolder() reads the settings of a desktop %j as %s", (settings, folder) => {
  const read = (file: string): string | null => (file === "/home/ana/.config/user-dirs.dirs" ? settings : null);
  expect(downloadsFolder(place({ read }))).toBe(folder);
});

test("downloadsFolder() is Downloads elsewhere, and says what is missing", () => {
  expect(downloadsFolder(place({ platform: "darwin", env: { HOME: "/Users/ana" } }))).toBe("/Users/ana/Downloads");
  expect(() => downloadsFolder(place({ env: {} }))).toThrow("HOME is not set");
});
