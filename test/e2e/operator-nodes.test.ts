import { expect, test } from "bun:test";
import type { StatusEvent } from "../../src/modes/cli/events.ts";
import { type Finished, run } from "../support/binary.ts";
import { Nodes, nodesMissing } from "../support/nodes.ts";

const nodesTest = test.skipIf(nodesMissing !== null);

const admin = (data: string, ...words: readonly string[]): Promise<Finished> =>
  run(["server", ...words, "--json", "--data", data]);

async function status(data: string): Promise<StatusEvent & { readonly running: true }> {
  const { events } = await admin(data, "status");
  const [event] = events;
  if (event?.event !== "status" || "fingerprint" in event || !event.running) throw new Error(JSON.stringify(events));
  return event;
}

nodesTest("each node's operator is told who is there at all of them, and whether Redis answers", async () => {
  await using nodes = await Nodes.open({ flags: ["--metrics", ":0"] });
  const ben = await nodes.register("ben", 1);
  await using _ = await ben.receiving();
  await nodes.node(0).process.waitForText("node-joined");
  const [here, there] = [nodes.node(0).data, nodes.node(1).data];
  expect(await status(here)).toMatchObject({
    people: 0,
    cluster: { nodes: 2, people: 1, redisMs: expect.any(Number) },
  });
  expect(await status(there)).toMatchObject({ people: 1, cluster: { nodes: 2, people: 1 } });
  expect((await admin(here, "users")).events).toMatchObject([{ name: "ben", online: true }]);
  const metrics = /"http":"([^"]+)"[^\n]*"metrics"|"metrics"[^\n]*"http":"([^"]+)"/;
  const [, one, other] = metrics.exec(await nodes.node(0).process.waitForText(metrics)) ?? [];
  const figures = async () => (await fetch(`http://${one ?? other}/metrics`)).text();
  expect(await figures()).toMatch(/^p2p_nodes_seen 2$[^]*^p2p_redis_up 1$/m);

  await nodes.redis.process.freeze();
  expect(await status(here)).toMatchObject({ people: 0, cluster: { nodes: 2, people: null, redisMs: null } });
  expect(await figures()).toMatch(/^p2p_nodes_seen 2$[^]*^p2p_redis_up 0$[^]*^p2p_redis_answer_seconds Nan$/im);
  nodes.redis.process.thaw();
});
