import { lookup } from "node:dns/promises";
import { inspectAccountDatabase, openSharedStores } from "../../store/open.ts";
import { canonicalIp, scopeOf } from "../../wire/address.ts";
import type { ServerContext } from "../cli/context.ts";
import { splitHostPort } from "../cli/join-line.ts";
import { refuseStrangers } from "./cluster/strangers.ts";
import { type DataFolder, dataFolderAt } from "./data-folder.ts";
import { attempt, type Finding, warning, wrong } from "./finding.ts";
import { readKeys, refuseLostKey } from "./key-files.ts";
import { explained, hasPassword, storeUrl } from "./opened-store.ts";

/** What is wrong or doubtful about the databases that the settings name, and about the nodes that share them. Nothing is made there. */
export async function aboutStores({ data, settings }: ServerContext): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const accounts = await attempt(findings, () => storeUrl("accounts", settings));
  const presence = await attempt(findings, () => storeUrl("presence", settings));
  if (accounts !== null) findings.push(...(await aboutAccounts(accounts, dataFolderAt(data))));
  if (presence !== null) findings.push(...(await aboutNodes(presence, dataFolderAt(data))));
  if (presence !== null && !isDatabase(accounts))
    findings.push(
      warning(
        "the accounts lie with this node alone, so people of other nodes have none here",
        "use accounts mongodb://…",
      ),
    );
  return findings;
}

async function aboutAccounts(url: string, data: DataFolder): Promise<readonly Finding[]> {
  if (!isDatabase(url)) return [];
  const findings: Finding[] = [...(await aboutWay("MongoDB", url))];
  const isUsed = await attempt(findings, () => explained(() => inspectAccountDatabase(url)));
  if (isUsed === true) await attempt(findings, () => refuseLostKey(data));
  return findings;
}

async function aboutNodes(url: string, data: DataFolder): Promise<readonly Finding[]> {
  const findings: Finding[] = [...(await aboutWay("Redis", url))];
  await attempt(findings, async () => {
    await using shared = await explained(() => openSharedStores(url));
    const keys = readKeys(data);
    if (keys !== null) return await refuseStrangers(shared.presence, keys, { unixMs: Date.now });
    if ((await shared.presence.nodes()).length > 0)
      findings.push(
        wrong(
          "this node lacks the keys of the nodes that are there, and would make others",
          "`p2p server key export FILE` there, `p2p server key import FILE` here",
        ),
      );
  });
  return findings;
}

/** Passwords of people are never sent there, but their hashes, names and devices are, and the password of the URL. */
async function aboutWay(what: string, url: string): Promise<readonly Finding[]> {
  if (isEncrypted(url) || !(await isPublic(url))) return [];
  const also = hasPassword(url) ? ", the password in its URL included" : "";
  return [
    warning(
      `what goes to ${what} can be read on the way${also}`,
      what === "Redis" ? "use rediss://…, or an address of your own network" : "add ?tls=true to its URL",
    ),
  ];
}

function isEncrypted(url: string): boolean {
  return /^(?:rediss|mongodb\+srv)\b/i.test(url)
    ? !/[?&](?:tls|ssl)=false\b/i.test(url)
    : /[?&](?:tls|ssl)=true\b/i.test(url);
}

/** Whether one of its hosts has an address that everybody can reach; of a name that leads nowhere others tell. */
async function isPublic(url: string): Promise<boolean> {
  const [, hosts = ""] = /^[^:]+:\/\/(?:[^@/?]*@)?([^/?]*)/.exec(url) ?? [];
  const ips = await Promise.all(
    hosts.split(",").map((host) => ipsOf(splitHostPort(host).host.replace(/^\[|\]$/g, ""))),
  );
  return ips.flat().some((ip) => scopeOf(ip) === "public");
}

async function ipsOf(host: string): Promise<readonly string[]> {
  const ip = canonicalIp(host);
  if (ip !== null) return [ip];
  const found = await lookup(host, { all: true }).catch(() => []);
  return found.flatMap(({ address }) => canonicalIp(address) ?? []);
}

function isDatabase(accounts: string | null): boolean {
  return accounts !== null && /^mongodb(?:\+srv)?:/i.test(accounts);
}
