import type { PresenceStore } from "../../../store/presence.ts";
import { fromHex } from "../../../wire/bytes.ts";
import { isSameServer, newNodeId } from "../../../wire/cluster/node-id.ts";
import { UserError } from "../../cli/errors.ts";
import type { Clock } from "../clock.ts";
import type { ServerKeys } from "../key-files.ts";
import { systemRandom } from "../system-random.ts";

/**
 * A node whose keys are not those of the nodes that are there would have people of its own, and tell them apart by nothing.
 * @throws UserError `config`
 */
export async function refuseStrangers(
  presence: PresenceStore,
  keys: ServerKeys,
  clock: Pick<Clock, "unixMs">,
): Promise<void> {
  await presence.sweep(await presence.timeMs(clock.unixMs())); // of nodes that were killed
  const ours = newNodeId(keys.channel.publicKey, keys.signing.publicKey, systemRandom);
  const isStranger = (nodeId: string) => !isSameServer(ours, fromHex(nodeId) ?? new Uint8Array());
  if (!(await presence.nodes()).some(isStranger)) return;
  throw new UserError(
    "config",
    "cannot join the nodes that share this Redis: they have other keys, or another version",
    {
      hint: "all nodes need the same keys: `p2p server key export FILE` there, `p2p server key import FILE` here; for a server of its own add ?prefix=NAME to the URL",
    },
  );
}
