import { readFileSync } from "node:fs";
import path from "node:path";
import { UserError } from "../../cli/errors.ts";

export interface DownloadsPlace {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** Null when there is no such file. */
  readonly read: (file: string) => string | null;
}

export function thisDownloadsPlace(env: DownloadsPlace["env"]): DownloadsPlace {
  return { env, platform: process.platform, read: readOrNull };
}

/** Where a person expects what came over the network: the folder their desktop has for it, else `Downloads`. @throws UserError `config` */
export function downloadsFolder(place: DownloadsPlace): string {
  const { env, platform } = place;
  const home = env[platform === "win32" ? "USERPROFILE" : "HOME"];
  const said = env["XDG_DOWNLOAD_DIR"] || (platform === "linux" && home ? fromDesktop(place, home) : null);
  if (said) return said;
  if (home) return path.join(home, "Downloads");
  throw new UserError("config", "cannot tell where downloads belong: HOME is not set", { hint: "set HOME" });
}

/** `XDG_DOWNLOAD_DIR="$HOME/Downloads"` in user-dirs.dirs, as xdg-user-dirs writes it. */
function fromDesktop({ env, read }: DownloadsPlace, home: string): string | null {
  const settings = read(path.join(env["XDG_CONFIG_HOME"] || path.join(home, ".config"), "user-dirs.dirs"));
  const [, value] = /^\s*XDG_DOWNLOAD_DIR="([^"]*)"/m.exec(settings ?? "") ?? [];
  const folder = value?.replace(/^\$HOME(?=\/|$)/, home).replace(/\/+$/, "");
  // The home folder itself there means that the desktop has none for downloads.
  return folder !== undefined && path.isAbsolute(folder) && folder !== home ? folder : null;
}

function readOrNull(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
