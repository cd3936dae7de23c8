import { familyOf } from "../../../wire/address.ts";
import { mappers } from "../../../wire/traversal/network-report.ts";
import type { Standing } from "../../../wire/traversal/port-mapping/lane.ts";
import type { NetworkFields, PortMapper } from "../../cli/events.ts";
import type { PortMappingReport } from "../port-mapping/port-mapping.ts";

/** What tells most first. */
const states: readonly PortMapper["state"][] = [
  "mapped",
  "ready",
  "unwanted",
  "not-public",
  "refused",
  "asking",
  "unsupported",
  "silent",
];

/** What the routers said to each protocol over IPv4; of several routers, what tells most. */
export function routerAnswers({ state, homes }: PortMappingReport): Pick<NetworkFields, "portMapping" | "portMappers"> {
  const told = homes.filter(({ ownIp }) => familyOf(ownIp) === 4).flatMap(({ protocols }) => protocols);
  const portMappers = mappers.flatMap((protocol): PortMapper[] => {
    const found = told.filter((each) => each.protocol === protocol).map(({ standing }) => stateOf(standing));
    const best = states.find((each) => found.includes(each));
    return best === undefined ? [] : [{ protocol, state: best }];
  });
  return { portMapping: state === "asking" ? "unknown" : state, portMappers };
}

function stateOf(standing: Standing): PortMapper["state"] {
  return standing.kind === "none" ? standing.why : standing.kind;
}
