import { expect, test } from "bun:test";
import { isForGood, reasonIn } from "../../../../src/store/redis/errors.ts";

function reply(message: string): Error {
  return Object.assign(new Error(message), { name: "ReplyError" });
}

test.each([
  ["OOM command not allowed when used memory > 'maxmemory'.", "has no memory left"],
  ["READONLY You can't write against a read only replica.", "is a replica that takes no writes"],
  ["NOAUTH Authentication required.", "asks for a password"],
  ["MOVED 3999 127.0.0.1:6381", "belongs to a Cluster"],
])("reasonIn() of the answer %p: %s", (answer, reason) => {
  expect(reasonIn(reply(answer))).toBe(reason);
});

test.each([
  ["Command timed out", "does not answer"],
  ["self signed certificate", "has a certificate that nobody here vouches for"],
  ["connect ECONNREFUSED 127.0.0.1:6379", "refuses connections"],
  ['Unknown RESP type 4 "x". Please report this.', "answers in another language than Redis"],
  ["Too many Cluster redirections. Last error: ReplyError: CLUSTERDOWN", "is a Cluster that is not whole"],
  ["Connection is closed.", "is not connected"],
])("reasonIn() of what the client says, %p: %s", (message, reason) => {
  expect(reasonIn(new Error(message))).toBe(reason);
});

test("reasonIn() leaves defects of ours alone", () => {
  for (const error of [
    new TypeError("no change"),
    reply("ERR Error running script"),
    reply("WRONGTYPE Operation"),
    "text",
  ])
    expect(reasonIn(error)).toBeNull();
});

test("isForGood() is true for what waiting does not mend", () => {
  expect(isForGood(reply("WRONGPASS invalid username-password pair"))).toBe(true);
  expect(isForGood(reply("LOADING Redis is loading the dataset in memory"))).toBe(false);
});
