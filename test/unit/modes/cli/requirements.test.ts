import { expect, test } from "bun:test";
import { PassThrough } from "node:stream";
import { parseLine, toCommand } from "../../../../src/modes/cli/args.ts";
import type { Terminal } from "../../../../src/modes/cli/context.ts";
import type { UserError } from "../../../../src/modes/cli/errors.ts";
import { requireAnswers } from "../../../../src/modes/cli/requirements.ts";
import { Settings } from "../../../../src/modes/cli/settings.ts";

const KEY = `${"a".repeat(51)}q`;

function terminal(interactive: boolean, fullScreen: boolean): Terminal {
  const stream = new PassThrough();
  return { stdin: stream, stdout: stream, stderr: stream, interactive, fullScreen, color: false, columns: () => 80 };
}

function check(line: string, at: Terminal): string {
  const invocation = parseLine(line === "" ? [] : line.split(" "), () => false);
  const settings = new Settings([invocation.given]);
  try {
    requireAnswers(toCommand(invocation, settings), settings, at);
    return "ready";
  } catch (error) {
    const { code, hint } = error as UserError;
    return `${code}: ${hint ?? ""}`;
  }
}

const nobody = terminal(false, false);
const somebody = terminal(true, true);

test.each([
  ["", "p2p help"],
  ["peer", "p2p help"],
  [`p2p://h/#${KEY}`, "p2p help"],
  [`register ana --server h#${KEY}`, "--password-file"],
  ["register ana --password-file f", "--server"],
  ["register ana --password-file f --server p2p://h", "--trust-first-use"],
  ["login ana", "--password-file"],
  ["login ana --password-file f --server p2p://h", "--trust-first-use"],
  ["passwd", "--password-file"],
  ["passwd --password-file f", "--new-password-file"],
  ["receive", "--yes"],
])("without a terminal p2p %s is a usage error that names the flag %s", (line, flag) => {
  const problem = check(line, nobody);
  expect(problem).toStartWith("usage: ");
  expect(problem).toContain(flag);
});

test.each([
  `register ana --password-file - --server h#${KEY}`,
  "register ana --password-file - --server p2p://h --trust-first-use",
  "login ana --password-file f",
  "passwd --password-file f --new-password-file g",
  "receive --yes",
  "receive --no",
  "chat bob",
  "msg bob",
  "users",
  "server",
])("without a terminal p2p %s needs nothing more", (line) => {
  expect(check(line, nobody)).toBe("ready");
});

test.each(["", "peer", "register ana", "login ana", "passwd", "receive"])("at a terminal p2p %s asks", (line) => {
  expect(check(line, somebody)).toBe("ready");
});

test("the guided mode draws on stdout too, so questions alone are not enough for it", () => {
  expect(check("peer", terminal(true, false))).toContain("usage: ");
  expect(check("receive", terminal(true, false))).toBe("ready");
});
