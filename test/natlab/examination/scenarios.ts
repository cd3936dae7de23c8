import { badLinkScenarios } from "./bad-link-scenarios.ts";
import { blockedScenarios } from "./blocked-scenarios.ts";
import { changeScenarios } from "./change-scenarios.ts";
import { directScenarios } from "./direct-scenarios.ts";
import { hardNatScenarios } from "./hard-nat-scenarios.ts";
import { mannersScenarios } from "./manners-scenarios.ts";
import type { Scenario } from "./scenario.ts";

/** All there are, by number. Between them are numbers of what other rings hold. */
export const scenarios: readonly Scenario[] = [
  ...directScenarios,
  ...hardNatScenarios,
  ...blockedScenarios,
  ...badLinkScenarios,
  ...changeScenarios,
  ...mannersScenarios,
];
