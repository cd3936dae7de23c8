import { join } from "node:path";

/** What a file may be called on this disk. Only {@link localName} and {@link numbered} make one. */
export type LocalName = string & { readonly [local]: true };
declare const local: unique symbol;

/** UTF-8 bytes of a name, so that a number and the dressing of a partial file still fit the 255 of every file system. */
const MAX_NAME_BYTES = 200;
/** A longer ending is no extension that says what a file is. UTF-8 bytes with the dot. */
const MAX_EXTENSION_BYTES = 20;
const UNNAMED = "unnamed";

/** Control characters, line and paragraph separators, bidirectional and other format characters, whatever is drawn as nothing, noncharacters. */
const INVISIBLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/gu;
/** All kinds of space, and Braille's blank: one of them is enough. */
const SPACES = /[\p{Zs}\u2800]+/gu;
/** Separators, drive and stream marks and wildcards of any system. */
const FORBIDDEN = /[/\\:*?"<>|]/g;
/** Hidden files, options of commands, a shell's home. */
const LEADING = /^[.~-]/;
/** Windows devices, alone or before an extension, and the two names that its shell acts upon. */
const RESERVED =
  /^(?:(?:con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³]|conin\$|conout\$|clock\$) *(?:\.|$)|(?:desktop\.ini|autorun\.inf)$)/i;

/**
 * The one function that makes a name on this disk from one component of a remote path. Whatever comes in, one harmless component comes
 * out, the same on every system; what is harmless already stays as it is.
 */
export function localName(remote: string): LocalName {
  const visible = remote.toWellFormed().normalize("NFC").replace(INVISIBLE, "").normalize("NFC");
  const plain = withoutEdges(visible.replace(SPACES, " ").replace(FORBIDDEN, "_")).replace(LEADING, "_");
  const named = plain === "" ? UNNAMED : plain;
  return cut(RESERVED.test(named) ? `_${named}` : named) as LocalName;
}

/** `name (2).ext`, for the second of that name. */
export function numbered(name: LocalName, number: number): LocalName {
  const { base, extension } = split(name);
  return `${base} (${number})${extension}` as LocalName;
}

/** Two names that any system may take for the same file have the same folded name. */
export function foldedName(name: string): string {
  return name.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
}

/** @param folder of this disk, as the person chose it */
export function pathIn(folder: string, name: LocalName): string {
  return join(folder, name);
}

/** The hidden file that entry `entry` of a transfer grows in, beside its final place. @param id 32 hex digits */
export function partialPathIn(folder: string, id: string, entry: number): string {
  if (!/^[0-9a-f]{32}$/.test(id)) throw new RangeError("a transfer id has 32 hex digits");
  return join(folder, `.${id}-${entry}.part`);
}

function withoutEdges(name: string): string {
  return name.replace(/^ +/, "").replace(/[. ]+$/, "");
}

function split(name: string): { readonly base: string; readonly extension: string } {
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 ? name.slice(dot) : "";
  const keeps = extension.length > 1 && Buffer.byteLength(extension) <= MAX_EXTENSION_BYTES;
  return keeps ? { base: name.slice(0, dot), extension } : { base: name, extension: "" };
}

function cut(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  const { base, extension } = split(name);
  return withoutEdges(startOf(base, MAX_NAME_BYTES - Buffer.byteLength(extension))) + extension;
}

/** @returns as many whole characters as fit */
export function startOf(text: string, maxBytes: number): string {
  const head = Buffer.from(text).subarray(0, maxBytes + 1);
  let end = Math.min(head.length, maxBytes);
  while (end > 0 && ((head[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return head.toString("utf8", 0, end);
}
