import { type HandshakePattern, IK, K, type Token, withPsk } from "../../src/wire/noise/patterns.ts";

/** The patterns of Noise §7.4 and §7.5 that the vectors use and the project does not. */
const fundamental: readonly HandshakePattern[] = [
  IK,
  K,
  pattern("NN", "", "", ["e"], ["e", "ee"]),
  pattern("NK", "", "s", ["e", "es"], ["e", "ee"]),
  pattern("NX", "", "", ["e"], ["e", "ee", "s", "es"]),
  pattern("XK", "", "s", ["e", "es"], ["e", "ee"], ["s", "se"]),
  pattern("XX", "", "", ["e"], ["e", "ee", "s", "es"], ["s", "se"]),
  pattern("KK", "s", "s", ["e", "es", "ss"], ["e", "ee", "se"]),
];

/** `XXpsk0+psk3` and the like, put together as Noise §8 names them. */
export function patternNamed(name: string): HandshakePattern {
  const [base = "", ...modifiers] = name.split(/(?=psk)|\+/).filter((part) => part !== "");
  const found = fundamental.find((pattern) => pattern.name === base);
  if (found === undefined) throw new Error(`no pattern ${base}`);
  return modifiers.length === 0 ? found : withPsk(found, ...modifiers.map((modifier) => Number(modifier.slice(3))));
}

function pattern(name: string, initiator: "" | "s", responder: "" | "s", ...messages: Token[][]): HandshakePattern {
  const known = (token: "" | "s") => (token === "s" ? [token] : []);
  return { name, preMessages: { initiator: known(initiator), responder: known(responder) }, messages };
}
