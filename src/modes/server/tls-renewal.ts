import { UserError } from "../cli/errors.ts";
import type { Lifecycle } from "../runtime/lifecycle.ts";
import type { Log } from "../runtime/log.ts";
import type { Clock } from "./clock.ts";
import { readTls, type TlsFiles, type TlsPair } from "./tls.ts";

export interface RenewalOptions {
  readonly files: TlsFiles;
  /** In use now. */
  readonly pair: TlsPair;
  /** Puts another pair to use. */
  readonly use: (pair: TlsPair) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Between two looks at the files. */
const LOOK_MS = 10_000;

/**
 * Looks at certificate and key every 10 s, and puts new ones to use. Not by watching: what renews them moves links and folders about, which a
 * watch on the file does not see. What cannot be used, such as one file that is newer than the other, leaves the pair before in use.
 */
export function keepRenewed(options: RenewalOptions, lifecycle: Lifecycle): void {
  let current = options.pair;
  let said = "";
  let cancel = (): void => {};
  const look = (): void => {
    again();
    const { pair, problem } = read(options.files);
    if (problem !== "" && problem !== said) options.log.warn("certificate-unusable", { problem });
    if (pair !== null && (pair.cert !== current.cert || pair.key !== current.key)) {
      options.use(pair);
      current = pair;
      options.log.info("certificate-renewed");
    }
    said = problem;
  };
  const again = (): void => {
    cancel = options.clock.after(LOOK_MS, look);
  };
  again();
  lifecycle.add("certificate", () => cancel());
}

function read(files: TlsFiles): { pair: TlsPair | null; problem: string } {
  try {
    return { pair: readTls(files), problem: "" };
  } catch (error) {
    if (error instanceof UserError) return { pair: null, problem: error.message };
    throw error;
  }
}
