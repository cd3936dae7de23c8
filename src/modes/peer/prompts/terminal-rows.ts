import type { Terminal } from "../../cli/context.ts";

const DEFAULT_ROWS = 24;

/** Height of stderr now. */
export function terminalRows({ stderr }: Terminal): number {
  return "rows" in stderr && typeof stderr.rows === "number" && stderr.rows > 0 ? stderr.rows : DEFAULT_ROWS;
}
