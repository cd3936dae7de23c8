import { version } from "../../../package.json";
import { PROTOCOL_VERSION } from "../../wire/limits.ts";
import type { VersionEvent } from "./events.ts";

// Put in by `bun build --define`; a run from source has neither.
declare const P2P_COMMIT: string;
declare const P2P_TARGET: string;

export function versionEvent(): VersionEvent {
  return {
    event: "version",
    version,
    commit: typeof P2P_COMMIT === "undefined" ? "source" : P2P_COMMIT,
    protocol: PROTOCOL_VERSION,
    target: typeof P2P_TARGET === "undefined" ? `${process.platform}-${process.arch}` : P2P_TARGET,
  };
}
