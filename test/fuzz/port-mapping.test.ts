import { expect, test } from "bun:test";
import { utf8 } from "../../src/wire/bytes.ts";
import { gatewayUrl } from "../../src/wire/traversal/port-mapping/gateway-url.ts";
import { connectionServices } from "../../src/wire/traversal/port-mapping/igd.ts";
import { decodeNatPmp } from "../../src/wire/traversal/port-mapping/nat-pmp.ts";
import { decodePcp } from "../../src/wire/traversal/port-mapping/pcp.ts";
import { PortMapper, type PortMapperEvent } from "../../src/wire/traversal/port-mapping/port-mapper.ts";
import { readSoapAnswer } from "../../src/wire/traversal/port-mapping/soap.ts";
import { decodeSearchAnswer } from "../../src/wire/traversal/port-mapping/ssdp.ts";
import { readXml } from "../../src/wire/traversal/port-mapping/xml.ts";
import { Seeded } from "../sim/seeded.ts";
import { hex } from "../support/bytes.ts";
import { ModelGateway } from "../support/model-gateway.ts";
import { recorded } from "../support/recorded-gateway.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 7_420);
const ROUNDS = 20_000;
const ownIp = "192.168.1.101";
const gatewayIp = "192.168.1.1";

const datagrams = [...Object.values(recorded.natPmp), ...Object.values(recorded.pcp)].map(hex);
const samples = [...datagrams, utf8(recorded.search)];
const texts = [recorded.description, recorded.externalIp, recorded.added, recorded.reserved, recorded.conflict];

/** Some bytes changed, the end cut off or gone on, a piece said twice; now and then nothing left of it at all. */
function spoiled(numbers: Seeded, good: Uint8Array): Uint8Array {
  if (numbers.chance(0.1)) return numbers.bytes(numbers.between(0, 200));
  const bytes = new Uint8Array(good);
  for (let left = numbers.between(0, 4); left > 0; left--)
    bytes[numbers.between(0, bytes.length - 1)] = numbers.chance(0.3) ? 0x3c : numbers.between(0, 255);
  if (numbers.chance(0.2)) return bytes.subarray(0, numbers.between(0, bytes.length));
  if (!numbers.chance(0.2)) return bytes;
  const at = numbers.between(0, bytes.length);
  return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(numbers.between(0, at))]);
}

function pick<T>(numbers: Seeded, items: readonly T[], fallback: T): T {
  return items[numbers.between(0, items.length - 1)] ?? fallback;
}

test(`what a gateway says is read or refused, and never throws (seed ${seed})`, () => {
  const numbers = new Seeded(seed);
  let [read, refused] = [0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = spoiled(numbers, pick(numbers, samples, new Uint8Array()));
    const found = [decodePcp(bytes), decodeNatPmp(bytes), decodeSearchAnswer(bytes)];
    if (found.some((each) => each !== null)) read++;
    else refused++;
  }
  expect(read).toBeGreaterThan(ROUNDS / 10);
  expect(refused).toBeGreaterThan(ROUNDS / 10);
});

test(`what a gateway writes is read or refused, and leads nowhere but to it (seed ${seed})`, () => {
  const numbers = new Seeded(seed);
  let [read, refused] = [0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    const text = new TextDecoder().decode(spoiled(numbers, utf8(pick(numbers, texts, ""))));
    if (readXml(text) === null) refused++;
    else read++;
    const answer = readSoapAnswer("GetExternalIPAddress", { status: numbers.chance(0.5) ? 200 : 500, body: text });
    if (answer.isDone) expect(typeof answer.value("NewExternalIPAddress")).toBe("string");
    for (const { controlUrl } of connectionServices(text, "http://192.168.1.1/", gatewayIp))
      expect(gatewayUrl(controlUrl, gatewayIp)).toBe(controlUrl);
  }
  expect(read).toBeGreaterThan(ROUNDS / 10);
  expect(refused).toBeGreaterThan(ROUNDS / 10);
});

test(`a gateway that says anything at all costs a PortMapper no more than its few questions (seed ${seed})`, () => {
  const numbers = new Seeded(seed);
  for (let round = 0; round < 200; round++) {
    const mapper = new PortMapper({ random: numbers.bytes });
    const gateway = new ModelGateway();
    mapper.start(0, [{ ownIp, gatewayIp, internalPort: 40_000 }]);
    let [sent, asked] = [0, 0];
    const open: (PortMapperEvent & { kind: "request" })[] = [];
    for (let now = 0; now < 10_000; now += 50) {
      mapper.handleTimeout(now);
      for (let event = mapper.pollEvent(); event !== null; event = mapper.pollEvent()) {
        if (event.kind !== "request") continue;
        expect(new URL(event.request.url).hostname).toBe(gatewayIp);
        open.push(event);
        asked++;
      }
      for (let out = mapper.pollTransmit(now); out !== null; out = mapper.pollTransmit(now)) {
        sent++;
        const answer = gateway.datagram(now, out.bytes, out.to.remote);
        const remote = { ip: gatewayIp, port: out.to.remote.port };
        if (answer !== null) mapper.handleDatagram(now, spoiled(numbers, answer), { ownIp, remote });
        mapper.handleDatagram(now, spoiled(numbers, pick(numbers, samples, answer ?? out.bytes)), { ownIp, remote });
      }
      for (const { id, request } of open.splice(0)) {
        const reply = numbers.chance(0.1) ? null : gateway.http(request);
        const body = new TextDecoder().decode(spoiled(numbers, utf8(reply?.body ?? "")));
        mapper.handleReply(now, id, reply === null ? null : { ...reply, body });
      }
    }
    // Ten questions by datagram and eight searches, and again for each time that an answer says the gateway has restarted.
    expect(sent).toBeLessThan(80);
    expect(asked).toBeLessThan(20);
    for (const { external } of mapper.mappings) expect(external.port).toBeGreaterThan(0);
    mapper.stop(10_000);
  }
});
