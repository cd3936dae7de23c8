/** Noise §7.1, and the psk token of §9.1. */
export type Token = "e" | "s" | "ee" | "es" | "se" | "ss" | "psk";

/** Noise §7.1: messages go initiator → responder, then in turn. A single one makes the pattern one-way, §7.4. */
export interface HandshakePattern {
  /** As in the protocol's name: `KKpsk0`. */
  readonly name: string;
  /** Who knows whose static key beforehand: a side that lists `s` has its key known to the other. */
  readonly preMessages: { readonly initiator: readonly "s"[]; readonly responder: readonly "s"[] };
  readonly messages: readonly (readonly Token[])[];
}

/** The channel to the server: its key is pinned, the device shows its own. */
export const IK: HandshakePattern = {
  name: "IK",
  preMessages: { initiator: [], responder: ["s"] },
  messages: [
    ["e", "es", "s", "ss"],
    ["e", "ee", "se"],
  ],
};

/** What is sealed to a device before it has answered. */
export const K: HandshakePattern = {
  name: "K",
  preMessages: { initiator: ["s"], responder: ["s"] },
  messages: [["e", "es", "ss"]],
};

/** The session: both know both device keys, and the pre-shared key binds it to what was agreed. */
export const KKpsk0: HandshakePattern = withPsk(
  {
    name: "KK",
    preMessages: { initiator: ["s"], responder: ["s"] },
    messages: [
      ["e", "es", "ss"],
      ["e", "ee", "se"],
    ],
  },
  0,
);

/** Noise §9.4: psk0 goes before the first message's tokens, pskN after the N-th message's; several join with `+`. */
export function withPsk(pattern: HandshakePattern, ...positions: readonly number[]): HandshakePattern {
  return {
    ...pattern,
    name: pattern.name + positions.map((position) => `psk${position}`).join("+"),
    messages: pattern.messages.map((tokens, index) => [
      ...(index === 0 && positions.includes(0) ? (["psk"] as const) : []),
      ...tokens,
      ...(positions.includes(index + 1) ? (["psk"] as const) : []),
    ]),
  };
}
