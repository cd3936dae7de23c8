import type { Random } from "../../wire/core.ts";
import type { KeyPair } from "../../wire/noise/primitives.ts";
import type { Log } from "../runtime/log.ts";
import type { AccountDesk } from "./accounts.ts";
import type { Attendance } from "./attendance.ts";
import type { Clock } from "./clock.ts";
import type { Directory } from "./directory.ts";
import type { Discovery } from "./discovery.ts";
import type { Hub } from "./hub.ts";
import type { Members } from "./members.ts";
import type { Revocations } from "./revocations.ts";
import type { Tokens } from "./tokens.ts";
import type { Watchers } from "./watchers.ts";

/** What stands behind a channel, put together once by `meeting.ts`. */
export interface Services {
  readonly keys: KeyPair;
  readonly accounts: AccountDesk;
  readonly tokens: Tokens;
  readonly revocations: Revocations;
  readonly members: Members;
  readonly directory: Directory;
  readonly attendance: Attendance;
  readonly watchers: Watchers;
  readonly hub: Hub;
  readonly discovery: Discovery;
  /** Whether legs are given out. */
  readonly relays: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}
