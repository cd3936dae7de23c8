import { MAX_CHAT_BYTES } from "../../../wire/limits.ts";
import { chatBytes } from "./conversation.ts";

const LINE_FEED = 10;

/**
 * The lines of a stream that are not blank, without their ends; a last one needs none. What is no UTF-8 becomes replacement characters.
 * @throws UserError `too-large` as soon as a line is longer than a message can be
 */
export async function* inputLines(stream: AsyncIterable<unknown>): AsyncGenerator<string> {
  let rest: Uint8Array = new Uint8Array(0);
  for await (const chunk of stream) {
    let bytes = Buffer.concat([rest, typeof chunk === "string" ? Buffer.from(chunk) : (chunk as Uint8Array)]);
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED)) {
      yield* said(bytes.subarray(0, end));
      bytes = bytes.subarray(end + 1);
    }
    // Room for the line end of another system.
    if (bytes.length > MAX_CHAT_BYTES + 1) lineOf(bytes);
    rest = bytes;
  }
  yield* said(rest);
}

/** A blank line says nothing. */
function said(bytes: Uint8Array): string[] {
  const line = lineOf(bytes);
  return line.trim() === "" ? [] : [line];
}

function lineOf(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes).replace(/\r$/, "");
  chatBytes(text);
  return text;
}
