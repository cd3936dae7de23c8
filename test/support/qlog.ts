export interface QlogRecord {
  readonly time: number;
  readonly name: string;
  readonly group_id: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Takes a streamed trace apart as viewers do: each record between separators must be whole JSON, the first one is the header. */
export function readQlog(text: string): {
  readonly header: Readonly<Record<string, unknown>>;
  readonly events: readonly QlogRecord[];
} {
  const [before, ...records] = text.split("\u001e");
  if (before !== "") throw new Error("a trace begins with a record separator");
  if (!records.every((record) => record.endsWith("}\n"))) throw new Error("a record was cut short");
  const [header, ...events] = records.map((record) => JSON.parse(record));
  return { header, events };
}
