import { existsSync } from "node:fs";
import path from "node:path";
import { asksForJson, type Invocation, parseLine, toCommand } from "./args.ts";
import type { Command } from "./command.ts";
import type { Context } from "./context.ts";
import { dataFolder, homeFolder, thisPlace } from "./folders.ts";
import { lookOf, plainLook, terminals } from "./look.ts";
import type { Output } from "./output.ts";
import { requireAnswers } from "./requirements.ts";
import { readSettingsFile } from "./settings-file.ts";
import { fromEnvironment, Settings } from "./settings.ts";
import { openOutput, openTerminal } from "./terminal.ts";

/** A command line with everything that bears on it read. */
export interface Start {
  readonly command: Command;
  readonly settings: Settings;
  /** HOME of a person or DATA of a server; null when the command needs neither. Absolute. */
  readonly folder: string | null;
}

/** @throws UserError `usage`, `config` or `bad-name` */
export function readCommandLine(argv: readonly string[]): Start {
  const invocation = parseLine(argv, existsSync);
  return invocation.row.mode === "none" ? withoutFolder(invocation) : withFolder(invocation, invocation.row.mode);
}

/** Where errors go until the settings say how output looks. */
export function openEarlyOutput(argv: readonly string[]): Output {
  return openOutput(plainLook(asksForJson(argv, process.env)), terminals(), process.env);
}

/** @throws UserError `usage` when an answer is missing and nobody can be asked */
export function makeContext(command: Command, settings: Settings, signal: AbortSignal): Context {
  const look = lookOf(settings);
  const streams = terminals();
  const terminal = openTerminal(look, streams, process.env);
  requireAnswers(command, settings, terminal);
  return { settings, output: openOutput(look, streams, process.env), terminal, signal, env: process.env };
}

function withoutFolder(invocation: Invocation): Start {
  const settings = new Settings([invocation.given]);
  return { command: toCommand(invocation, settings), settings, folder: null };
}

function withFolder(invocation: Invocation, mode: "peer" | "server"): Start {
  const sources = [invocation.given, fromEnvironment(process.env)];
  const chosen = new Settings(sources);
  const isServer = mode === "server";
  const folder = isServer ? dataFolder(chosen.get("data"), thisPlace()) : homeFolder(chosen.get("home"), thisPlace());
  const file = path.join(folder, isServer ? "server.toml" : "config.toml");
  const settings = new Settings([...sources, readSettingsFile(file, mode)]);
  return { command: toCommand(invocation, settings), settings, folder };
}
