import { expect, test } from "bun:test";
import { PathSeeker } from "../../../../src/modes/peer/path-seeker.ts";
import type { Place } from "../../../../src/modes/peer/place.ts";
import { UdpEndpoint } from "../../../../src/modes/peer/udp-endpoint.ts";
import { addressKey, type UdpAddress } from "../../../../src/wire/address.ts";
import { candidateFromFields } from "../../../../src/wire/traversal/candidate.ts";

const ownIps = { 4: "192.168.1.101", 6: "2001:db8:1:1::101" } as const;
const router = { ip: "28.1.0.10", port: 50_000 };

function placeWith(...mapped: readonly UdpAddress[]): Place {
  return { hostIps: Object.values(ownIps), mapped, network: { subnets: [], addresses: mapped, servers: [] } };
}

/** A seeker on real sockets, and what it has said since it was last looked at. */
async function seeking(place: Place) {
  const fail = (error: unknown): never => {
    throw error;
  };
  const endpoint = await UdpEndpoint.open(fail);
  const said: string[] = [];
  const seeker = new PathSeeker({
    endpoint,
    place,
    server: "28.0.0.10:7420",
    probe: () => undefined,
    say: (frame) => {
      const candidate = frame.kind === "candidate" ? candidateFromFields(frame) : null;
      said.push(candidate === null ? frame.kind : `${candidate.type} ${addressKey(candidate.address)}`);
    },
    onFault: fail,
  });
  const end = (): void => {
    seeker.stop();
    endpoint[Symbol.dispose]();
  };
  return { seeker, endpoint, heard: () => said.splice(0), [Symbol.dispose]: end };
}

test("a port that is mapped by now is announced behind the hosts, before the sign to begin", async () => {
  using a = await seeking(placeWith(router));
  a.seeker.announce();
  const heard = a.heard();
  expect(heard.at(-2)).toBe("port-mapped 28.1.0.10:50000");
  expect(heard.at(-1)).toBe("candidatesEnd");
});

test("a port that is mapped later is announced alone, and once", async () => {
  using a = await seeking(placeWith());
  a.seeker.announce();
  a.heard();
  a.seeker.mapped(placeWith(router));
  expect(a.heard()).toEqual(["port-mapped 28.1.0.10:50000"]);
  a.seeker.mapped(placeWith(router));
  expect(a.heard()).toEqual([]);
  a.seeker.mapped(placeWith(router, { ...router, port: 50_001 }));
  expect(a.heard()).toEqual(["port-mapped 28.1.0.10:50001"]);
});

test("a firewall that a router has opened leaves the address as it is, which was announced already", async () => {
  using a = await seeking(placeWith());
  a.seeker.announce();
  const hosts = a.heard().filter((each) => each.startsWith("host"));
  expect(hosts).toHaveLength(a.endpoint.sockets.length);
  const own = a.endpoint.sockets.map(({ family, port }) => ({ ip: ownIps[family], port }));
  a.seeker.mapped(placeWith(...own));
  expect(a.heard()).toEqual([]);
});

test("what a throw inside ends is reported, and nothing else", async () => {
  const fail = (error: unknown): never => {
    throw error;
  };
  using endpoint = await UdpEndpoint.open(fail);
  const faults: unknown[] = [];
  const defect = new Error("a defect");
  const onFault = (error: unknown): void => void faults.push(error);
  const say = (): never => fail(defect);
  const seeker = new PathSeeker({ endpoint, place: placeWith(), server: "", probe: () => undefined, say, onFault });
  seeker.announce();
  expect(faults).toEqual([defect]);
  seeker.stop();
});
