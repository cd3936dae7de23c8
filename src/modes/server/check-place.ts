import type { ServeCommand } from "../cli/command.ts";
import { formatHostPort, type ServerNode } from "../cli/join-line.ts";
import { advertisedPlace, isPrivateHost, type JoinPlace, ownNode } from "./advertise.ts";
import { attempt, type Finding, warning } from "./finding.ts";
import { doubtsAbout, readTls, type TlsPair } from "./tls.ts";

/** What is wrong or doubtful about where people are sent. @param hasOthers it is a node among several */
export async function aboutPlace(command: ServeCommand, hasOthers: boolean): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const port = command.listen[0]?.port ?? 0;
  const place = await advertisedPlace(
    command,
    command.listen.map((at) => at.port),
  );
  const { tls } = command;
  const pair = tls === null ? null : await attempt(findings, () => readTls(tls));
  return [
    ...aboutAddresses("join lines would name", place.nodes, "behind NAT? use advertise HOST"),
    ...aboutScheme(place, command),
    ...(hasOthers ? await aboutOwnPlace(place, command, port) : aboutLoneNode(command)),
    ...findings,
    ...(pair === null ? [] : [...hostsOf(place)].flatMap((host) => aboutCertificate(pair, host))),
  ];
}

function hostsOf({ nodes }: JoinPlace): ReadonlySet<string> {
  return new Set(nodes.map(({ host }) => host));
}

function aboutAddresses(what: string, nodes: readonly ServerNode[], hint: string): readonly Finding[] {
  return nodes
    .filter(({ host }) => isPrivateHost(host))
    .map(({ host, port }) => warning(`${what} ${formatHostPort(host, port)}, a private address`, hint));
}

function aboutScheme({ secure }: JoinPlace, { tls, trustedProxies }: ServeCommand): readonly Finding[] {
  if (tls !== null && !secure)
    return [
      warning("join lines would begin with p2p://, but the server speaks TLS alone", "use advertise p2ps://HOST"),
    ];
  if (tls !== null || !secure || trustedProxies.length > 0) return [];
  const message = "join lines lead to a proxy, and none is trusted: all people count as one address";
  return [warning(message, "name it in trusted-proxy")];
}

async function aboutOwnPlace({ secure }: JoinPlace, command: ServeCommand, port: number): Promise<readonly Finding[]> {
  const node = await ownNode(command, port);
  const found = aboutAddresses(
    "relay legs and UDP of this node would go to",
    [node],
    "use advertise-node HOST:PORT if people come from elsewhere",
  );
  if (command.advertiseNode !== null || command.tls !== null || !secure) return found;
  const place = formatHostPort(node.host, node.port);
  const message = `relay legs of this node would go to ${place} with TLS, which it does not speak`;
  return [...found, warning(message, "use advertise-node HOST:PORT, where a proxy leads to this node alone")];
}

function aboutLoneNode({ advertiseNode }: ServeCommand): readonly Finding[] {
  if (advertiseNode === null) return [];
  return [warning("advertise-node means nothing to a server of one node", "give presence too, or leave it out")];
}

function aboutCertificate(pair: TlsPair, host: string): readonly Finding[] {
  const hint = "join lines with the server's key work all the same; without it people are refused";
  return doubtsAbout(pair, host, Date.now()).map((doubt) => warning(doubt, hint));
}
