import { homedir } from "node:os";
import path from "node:path";
import { UserError } from "./errors.ts";

/** What decides where things lie; a parameter, so that every system's rule is tested on every system. */
export interface Place {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly isRoot: boolean;
  /** Null when the system does not say. */
  readonly userFolder: string | null;
  readonly currentFolder: string;
}

export function thisPlace(): Place {
  return {
    env: process.env,
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    userFolder: userFolder(),
    currentFolder: process.cwd(),
  };
}

/** Where a person's identity, account and people lie. Absolute. @throws UserError `config` when no home folder is known */
export function homeFolder(chosen: string | null, place: Place): string {
  if (chosen !== null) return rules(place).resolve(place.currentFolder, chosen);
  return rules(place).join(applicationFolder(place), "p2p");
}

/** Where a server's keys and accounts lie. Absolute. systemd sets `STATE_DIRECTORY`. @throws UserError `config` as above */
export function dataFolder(chosen: string | null, place: Place): string {
  if (chosen !== null) return rules(place).resolve(place.currentFolder, chosen);
  const given = place.env["STATE_DIRECTORY"]?.split(":")[0];
  if (given !== undefined && given !== "") return rules(place).resolve(place.currentFolder, given);
  return place.isRoot ? "/var/lib/p2p" : `${homeFolder(null, place)}-server`;
}

function applicationFolder(place: Place): string {
  const { env, platform } = place;
  if (platform === "win32") return env["LOCALAPPDATA"] || rules(place).join(userFolderOf(place), "AppData", "Local");
  if (platform === "darwin") return path.posix.join(userFolderOf(place), "Library", "Application Support");
  const data = env["XDG_DATA_HOME"];
  // The XDG rules: a relative path there is invalid and ignored.
  return data !== undefined && data.startsWith("/") ? data : path.posix.join(userFolderOf(place), ".local", "share");
}

function userFolderOf(place: Place): string {
  const folder = place.env[place.platform === "win32" ? "USERPROFILE" : "HOME"] || place.userFolder;
  if (folder) return folder;
  throw new UserError("config", "cannot tell where your home folder is: HOME is not set", {
    hint: "set HOME, or give --home DIR",
  });
}

function userFolder(): string | null {
  try {
    return homedir() || null;
  } catch {
    return null;
  }
}

function rules(place: Place): typeof path.posix {
  return place.platform === "win32" ? path.win32 : path.posix;
}
