import { expect, test } from "bun:test";
import { Drive } from "../../src/modes/runtime/driver.ts";
import { UdpPort } from "../../src/modes/runtime/udp-port.ts";
import { encodeRequest } from "../../src/wire/messages/discovery.ts";
import { Gatherer, type GatherEvent } from "../../src/wire/traversal/gather.ts";
import { Responder } from "../../src/wire/traversal/responder.ts";
import { deriveTicketKeys, withMac } from "../../src/wire/traversal/ticket-keys.ts";

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const faults: unknown[] = [];
const onFault = (error: unknown) => faults.push(error);

/** The server's two UDP ports on loopback. */
async function openServer() {
  const responder = new Responder({ random });
  const open = async (listener: number) => {
    const port: UdpPort = await UdpPort.open({
      ip: "127.0.0.1",
      port: 0,
      onFault,
      onDatagram(datagram, from) {
        const answer = responder.handleDatagram(performance.now(), datagram, from, listener);
        if (answer !== null) port.send(answer.reply, from);
      },
    });
    return port;
  };
  return { responder, ports: [await open(0), await open(1)] };
}

/** A peer that asks where it is seen, over a socket of its own. @returns the first answer of each port */
async function gather(responder: Responder, ports: readonly UdpPort[]) {
  const gatherer = new Gatherer({ random });
  const answers: GatherEvent[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const port: UdpPort = await UdpPort.open({
    ip: "127.0.0.1",
    port: 0,
    onFault,
    onDatagram: (datagram, remote) => drive.handleDatagram(datagram, { socket: 0, remote }),
  });
  const drive = new Drive(gatherer, {
    send: ({ bytes, to }) => port.send(bytes, to.remote),
    onEvent: (event) => answers.push(event) === ports.length && resolve(),
    onFault,
  });
  const servers = ports.map(({ address }) => address);
  gatherer.start(drive.now(), responder.issue(drive.now(), "127.0.0.1"), [{ socket: 0, family: 4 }], servers);
  drive.wake();
  await promise;
  drive.stop();
  port.close();
  return { answers, address: port.address };
}

test("a peer learns its address from both ports of a server that has just seen 20 000 hostile datagrams", async () => {
  const { responder, ports } = await openServer();
  const [target] = ports;
  const to = target?.address ?? { ip: "", port: 0 };
  const ticket = responder.issue(performance.now(), "127.0.0.1");
  const forged = withMac(
    deriveTicketKeys(random(32)).request,
    encodeRequest({ ticketId: ticket.id, txid: random(12), sequence: 1 }),
  );
  let answered = 0;
  const attacker = await UdpPort.open({ ip: "127.0.0.1", port: 0, onFault, onDatagram: () => answered++ });
  for (let round = 0; round < 100; round++) {
    for (let index = 0; index < 100; index++) {
      attacker.send(random(1 + ((round * 100 + index) % 1_400)), to);
      attacker.send(forged.with(index % 72, index), to);
    }
    await new Promise<void>((resolve) => setImmediate(resolve)); // lets the server read
  }
  const { answers, address } = await gather(responder, ports);
  expect(answers.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))).toEqual([
    { kind: "mapping" as const, mapping: { kind: "independent" as const, step: 0 } },
    ...[0, 1].map((listener) => ({ kind: "reflexive" as const, socket: 0, address, listener })),
  ]);
  expect(answered).toBe(0);
  expect(target?.stats.received).toBeGreaterThan(1_000);
  expect(faults).toEqual([]);
  for (const port of [attacker, ...ports]) port.close();
});
