import { expect, test } from "bun:test";
import { join } from "node:path";
import type { EventNamed } from "../support/binary.ts";
import { randomFile, sha256Of } from "../support/files.ts";
import { Nodes, nodesMissing } from "../support/nodes.ts";

const overUdp = ({ kind }: EventNamed<"path">) => kind === "relay-udp";

test.skipIf(nodesMissing !== null)(
  "people of two nodes are relayed over UDP by the node that has their pairing",
  async () => {
    await using nodes = await Nodes.open();
    const [ana, ben] = [await nodes.register("ana", 0), await nodes.register("ben", 1)];
    const file = join(ana.home, "..", "file.bin");
    const hash = await randomFile(file, 4 * 2 ** 20);
    await using receiver = await ben.receiving("--yes", "--once", "--relay-only");
    await using send = ana.startWith({}, "send", file, "@ben", "--relay-only");
    await Promise.all([send, receiver].map((each) => each.waitFor("path", overUdp)));
    expect(await send.finished()).toMatchObject({ exitCode: 0 });
    const saved = await receiver.waitFor("saved");
    expect(await sha256Of(saved.path)).toBe(hash);
    expect(await receiver.finished()).toMatchObject({ exitCode: 0 });
  },
  60_000,
);
