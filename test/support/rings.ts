import { debian, type DebianPackage } from "./debian.ts";

export interface Ring {
  readonly name: string;
  /** The whole ring is ended and counts as failed after this long. The limits of all rings together stay under 25 minutes. */
  readonly limitSeconds: number;
  /** How long one test of it may take. */
  readonly testSeconds: number;
  /** How many files of it run at once, for tests that mostly wait; one where it is not said. */
  readonly workers?: number;
  /** Where its tests stand. */
  readonly folders: readonly string[];
  /** Run in this order before the ring; what several rings prepare runs once. */
  readonly prepare: readonly Command[];
  /** How long one of them may take where it is not the usual 2 minutes: a build that is done once for each machine. */
  readonly prepareSeconds?: number;
  /** Counted one by one, in place of tests. */
  readonly steps?: readonly Step[];
  /** Installed where the gate may; without them the ring is skipped. */
  readonly needs: readonly DebianPackage[];
  /** The same, but without them only the tests that ask for them are skipped. */
  readonly wants: readonly DebianPackage[];
  readonly namespaces?: true;
}

export type Command = readonly string[];

export interface Step {
  readonly name: string;
  readonly command: Command;
}

const bare = { folders: [], prepare: [], needs: [], wants: [] };
const compile: Command = ["sh", "scripts/compile.sh"];
// Through Bun, because its own first line asks for Node, which there need not be.
const lint: Command = ["bun", "run", "--bun", "--silent", "oxlint", "--type-aware", "--deny-warnings", "--format=unix"];
const sources = ["src", "test"];

const captures = [debian("tcpdump", "tcpdump"), debian("iproute2", "ip")];
const laboratory = [
  ...captures,
  debian("nftables", "nft"),
  debian("iptables", "iptables"),
  debian("conntrack", "conntrack"),
  debian("miniupnpd-nftables", "miniupnpd"),
];
const arm64 = [
  debian("qemu-user-static", "qemu-aarch64-static"),
  debian("libc6-arm64-cross", "/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1"),
];

/** From the inside out. A ring without tests does not exist. */
export const rings: readonly Ring[] = [
  {
    ...bare,
    name: "check",
    limitSeconds: 90,
    testSeconds: 0,
    steps: [
      { name: "types", command: ["bun", "check", "--no-script"] },
      { name: "format", command: ["bun", "fmt", "--no-script", "--check", ...sources] },
      { name: "lint", command: [...lint, ...sources] },
      { name: "arrows", command: ["bun", "test", "./test/unit/layers.test.ts"] },
    ],
  },
  { ...bare, name: "compile", folders: ["test/compile"], limitSeconds: 90, testSeconds: 30, prepare: [compile] },
  { ...bare, name: "unit", folders: ["test/unit", "test/support"], limitSeconds: 120, testSeconds: 20 },
  { ...bare, name: "vectors", folders: ["test/vectors"], limitSeconds: 45, testSeconds: 20 },
  {
    ...bare,
    name: "contract",
    folders: ["test/contract"],
    limitSeconds: 90,
    testSeconds: 20,
    workers: 2,
    prepare: [["bun", "test/support/ferretdb/build.ts"], compile],
    prepareSeconds: 300,
    wants: [debian("redis-server", "redis-server")],
  },
  { ...bare, name: "sim", folders: ["test/sim"], limitSeconds: 180, testSeconds: 60 },
  { ...bare, name: "fuzz", folders: ["test/fuzz"], limitSeconds: 180, testSeconds: 120, prepare: [compile] },
  {
    ...bare,
    name: "e2e",
    folders: ["test/e2e"],
    limitSeconds: 300,
    testSeconds: 90,
    workers: 2,
    prepare: [["bun", "test/support/ferretdb/build.ts"], compile],
    prepareSeconds: 300,
    wants: [
      debian("tmux", "tmux"),
      debian("chromium", "chromium"),
      debian("redis-server", "redis-server"),
      debian("tinyproxy-bin", "tinyproxy"),
      ...captures,
    ],
  },
  {
    ...bare,
    name: "natlab",
    folders: ["test/natlab"],
    limitSeconds: 300,
    testSeconds: 60,
    workers: 2,
    prepare: [compile],
    needs: laboratory,
    namespaces: true,
  },
  {
    ...bare,
    name: "arm64",
    folders: ["test/arm64"],
    limitSeconds: 45,
    testSeconds: 30,
    prepare: [[...compile, "linux-arm64"]],
    needs: process.arch === "arm64" ? [] : arm64,
  },
];
