import type { PathKind } from "../../../src/modes/cli/events.ts";
import type { LabSpec } from "../../support/natlab.ts";
import type { Village } from "../village.ts";
import { settleFarApart } from "./meeting.ts";
import type { Case, Figures } from "./scenario.ts";
import { Talk, type TalkOptions } from "./talk.ts";

export interface ReachOptions extends TalkOptions {
  readonly name?: string;
  readonly share?: number;
  readonly withinMs?: number;
  /** Where only one kind of direct path will do. */
  readonly kind?: PathKind;
  /** The server's. */
  readonly port?: number;
  /** Before they meet. */
  readonly prepare?: (village: Village) => Promise<void>;
  /** As soon as the caller knows of the other. */
  readonly whenMet?: (village: Village) => Promise<void>;
  /** When the path is what it should be. */
  readonly after?: (village: Village, talk: Talk) => Promise<Figures | void>;
}

/** Many times what is aimed at: a slow machine is no failure. Milliseconds. */
const WITHIN_MS = 10_000;
/** In which all that could find a way has been tried once. Milliseconds. */
const RELAYED_FOR_MS = 12_000;

/** Both ends come to a direct path, and lines go over it. */
export function reaches(spec: LabSpec, options: ReachOptions = {}): Case {
  return {
    name: options.name ?? nameOf(spec, options),
    ...(options.share === undefined ? {} : { share: options.share }),
    run: () =>
      withTalk(spec, options, async (village, talk) => {
        const direct = await talk.goesDirect(options.withinMs ?? WITHIN_MS);
        if (direct === null) throw talk.failure("no direct path came");
        if (options.kind !== undefined && talk.caller.kind !== options.kind)
          throw talk.failure(`the path is ${talk.caller.kind}, not ${options.kind}`);
        await talk.say("over the direct path");
        const more = await options.after?.(village, talk);
        return { direct, firstByte: talk.firstByteMs, ...more };
      }),
  };
}

export function allReach(pairs: readonly (readonly [string, string])[], options: ReachOptions = {}): Case[] {
  return pairs.map(([a, b]) => reaches({ a, b }, options));
}

/** Nothing finds a way: lines go over the server all the time, and the program says why. */
export function staysRelayed(spec: LabSpec, options: ReachOptions = {}): Case {
  return {
    name: options.name ?? nameOf(spec, options),
    once: true,
    run: () =>
      withTalk(spec, options, async (village, talk) => {
        if (await talk.comes(() => talk.caller.isDirect || talk.answerer.isDirect, options.withinMs ?? RELAYED_FOR_MS))
          throw talk.failure("a direct path came, against all that is known of these networks");
        await talk.say("over the server");
        const more = await options.after?.(village, talk);
        return { firstByte: talk.firstByteMs, ...more };
      }),
  };
}

/** Settles, lets them begin to talk, and ends both. */
export async function withTalk(
  spec: LabSpec,
  options: Pick<ReachOptions, "prepare" | "whenMet" | "port" | keyof TalkOptions>,
  use: (village: Village, talk: Talk) => Promise<Figures>,
): Promise<Figures> {
  await using village = await settleFarApart(spec, options.port);
  await options.prepare?.(village);
  const { whenMet } = options;
  const onMet = whenMet === undefined ? {} : { onMet: () => whenMet(village) };
  await using talk = await Talk.begin(village, { ...options, ...onMet });
  const figures = await use(village, talk);
  await talk.end();
  return figures;
}

export function nameOf({ overlap, ...sides }: LabSpec, { caller }: TalkOptions = {}): string {
  const [a = "cone", b = "cone"] = [sides.a, sides.b];
  const pair = caller === "ben" ? `${b} × ${a}` : `${a} × ${b}`;
  return overlap === true ? `${pair}, equal private addresses` : pair;
}
