import { UserError } from "../../cli/errors.ts";

/** All of a stream as text. @throws UserError `too-large` */
export async function wholeText(stream: AsyncIterable<unknown>, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    const buffer = Buffer.from(chunk as Uint8Array);
    bytes += buffer.length;
    if (bytes > maxBytes)
      throw new UserError("too-large", `stdin holds more than ${maxBytes} bytes`, { hint: "send it as a file" });
    chunks.push(buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}
