import { describe, expect, test } from "bun:test";
import { UserError } from "../../../../src/modes/cli/errors.ts";
import { type FlagName, flags } from "../../../../src/modes/cli/flags.ts";
import { fromEnvironment, Settings, type Source } from "../../../../src/modes/cli/settings.ts";

function source(origin: Source["origin"], values: Partial<Record<FlagName, string[]>>): Source {
  const entries = Object.entries(values) as [FlagName, string[]][];
  return { origin, values: new Map(entries), place: (name) => `${origin} ${name}` };
}

describe("precedence:", () => {
  const flag = source("flag", { wait: ["1"] });
  const environment = source("environment", { wait: ["2"], out: ["e"] });
  const file = source("file", { wait: ["3"], out: ["f"], conflict: ["skip"] });

  test("a flag beats the environment beats the file beats the default, each with where it came from", () => {
    const settings = new Settings([flag, environment, file]);
    expect([settings.waitMs, settings.origin("wait")]).toEqual([1_000, "flag"]);
    expect([settings.get("out"), settings.origin("out")]).toEqual(["e", "environment"]);
    expect([settings.get("conflict"), settings.origin("conflict")]).toEqual(["skip", "file"]);
    expect([settings.get("color"), settings.origin("color")]).toEqual(["auto", "default"]);
  });

  test("the defaults are those of the contract", () => {
    const settings = new Settings([]);
    expect([settings.waitMs, settings.yes, settings.no, settings.server]).toEqual([60_000, false, false, null]);
    expect([settings.get("count"), settings.get("uses"), settings.get("days")]).toEqual([4, 1, 7]);
  });

  test("of two opposed switches the stronger source's holds", () => {
    const settings = new Settings([source("flag", { no: ["true"] }), source("file", { yes: ["true"] })]);
    expect([settings.yes, settings.no]).toEqual([false, true]);
    const other = new Settings([source("environment", { yes: ["true"] }), source("file", { no: ["true"] })]);
    expect([other.yes, other.no]).toEqual([true, false]);
  });

  test("of two opposed switches in one source neither can hold", () => {
    expect(() => new Settings([source("file", { yes: ["true"], no: ["true"] })])).toThrow(
      expect.objectContaining({ code: "config", message: "file no: it excludes file yes" }),
    );
  });

  test("a switch that is false opposes nothing", () => {
    const settings = new Settings([source("file", { yes: ["true"], no: ["false"] })]);
    expect(settings.yes).toBe(true);
  });
});

test("a value that is beaten is still checked: it would surprise later", () => {
  const wrong = source("file", { wait: ["soon"] });
  expect(() => new Settings([source("flag", { wait: ["1"] }), wrong])).toThrow(
    expect.objectContaining({ code: "config", message: expect.stringContaining("file wait: ") }),
  );
});

describe("fromEnvironment()", () => {
  const read = (env: Record<string, string>) => new Settings([fromEnvironment(env)]);

  test("reads P2P_ with the flag's name in upper case", () => {
    const settings = read({
      P2P_WAIT: "5",
      P2P_RELAY_ONLY: "1",
      P2P_VERBOSE: "true",
      P2P_QUIET: "0",
      P2P_LISTEN: ":1,[::1]:2",
    });
    expect([settings.waitMs, settings.relayOnly, settings.verbose, settings.quiet]).toEqual([5_000, true, true, false]);
    expect(settings.get("listen")).toEqual([
      { host: null, port: 1 },
      { host: "::1", port: 2 },
    ]);
  });

  test("names the variable in an error, which is one of usage", () => {
    expect(() => read({ P2P_TRUST_FIRST_USE: "yes" })).toThrow(
      expect.objectContaining({ code: "usage", message: expect.stringContaining("P2P_TRUST_FIRST_USE: ") }),
    );
  });

  test("an empty variable is none", () => {
    expect(read({ P2P_OUT: "" }).origin("out")).toBe("default");
  });

  test("what belongs to one line is not taken from there", () => {
    const env = Object.fromEntries(
      Object.keys(flags).map((name) => [`P2P_${name.toUpperCase().replaceAll("-", "_")}`, "1"]),
    );
    const names = [...fromEnvironment(env).values.keys()];
    expect(names).not.toContain("to");
    expect(names).not.toContain("help");
    expect(names).toContain("home");
  });

  test("bad input 171: no secret has a flag, so none has a variable", () => {
    const secret = Object.keys(flags).filter((name) => /password|token|secret|key/.test(name));
    expect(secret).toEqual(["password-file", "new-password-file", "tls-key"]); // each the name of a file
  });
});

test("every error of a flag's value is a UserError with a hint", () => {
  for (const [name, row] of Object.entries(flags) as [FlagName, { value: string | null }][]) {
    const text = row.value === null ? "perhaps" : "\0";
    try {
      expect(new Settings([source("flag", { [name]: [text] })]).get(name)).toBe("unreachable" as never);
    } catch (error) {
      expect([name, error]).toEqual([name, expect.any(UserError)]);
      expect((error as UserError).hint).toBeString();
    }
  }
});
