/** An element without its attributes; names without their namespaces. */
export interface XmlElement {
  readonly name: string;
  /** All text right inside, trimmed. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

/** More than any router's description has. Characters. */
export const MAX_XML_CHARACTERS = 65_536;
const MAX_DEPTH = 24;
const MAX_TAGS = 8_192;

const entities: Readonly<Partial<Record<string, string>>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

interface Open {
  readonly name: string;
  text: string;
  readonly children: XmlElement[];
}

/**
 * Reads what routers write: elements and text. Declarations, and so entities of the document's own, are refused; nothing is fetched and
 * nothing grows beyond the source.
 * @returns the outermost element; null for what is not well-formed, too long, too deep or too rich
 */
export function readXml(source: string): XmlElement | null {
  if (source.length > MAX_XML_CHARACTERS) return null;
  const outside: Open = { name: "", text: "", children: [] };
  const open = [outside];
  let tags = 0;
  for (let at = 0; at < source.length;) {
    const start = source.indexOf("<", at);
    const top = open.at(-1);
    if (top === undefined) return null;
    top.text += plainText(source.slice(at, start < 0 ? source.length : start));
    if (start < 0) break;
    const end = markupEnd(source, start);
    if (end < 0) return null;
    if (!isSkipped(source, start)) {
      if (++tags > MAX_TAGS || !applyTag(open, source.slice(start + 1, end - 1))) return null;
    }
    at = end;
  }
  const [root, ...others] = outside.children;
  return open.length === 1 && others.length === 0 && outside.text.trim() === "" ? (root ?? null) : null;
}

/** The first element of that name at any depth, in the order of the document. */
export function findElement(within: XmlElement, name: string): XmlElement | null {
  return findElements(within, name)[0] ?? null;
}

export function findElements(within: XmlElement, name: string): readonly XmlElement[] {
  const own = within.name === name ? [within] : [];
  return [...own, ...within.children.flatMap((child) => findElements(child, name))];
}

/** Comments and processing instructions. */
function isSkipped(source: string, start: number): boolean {
  return source.startsWith("<?", start) || source.startsWith("<!--", start);
}

/** @returns the place behind what begins at `start`; -1 when it does not end, or is a declaration */
function markupEnd(source: string, start: number): number {
  if (source.startsWith("<?", start)) return behind(source, "?>", start);
  if (source.startsWith("<!--", start)) return behind(source, "-->", start + 4);
  return source.startsWith("<!", start) ? -1 : tagEnd(source, start);
}

function behind(source: string, mark: string, from: number): number {
  const at = source.indexOf(mark, from);
  return at < 0 ? -1 : at + mark.length;
}

/** Attributes may hold any character but their own quote. */
function tagEnd(source: string, start: number): number {
  for (let at = start + 1; at < source.length; at++) {
    const character = source[at];
    if (character === ">") return at + 1;
    if (character === "<") return -1;
    if (character === '"' || character === "'") {
      at = source.indexOf(character, at + 1);
      if (at < 0) return -1;
    }
  }
  return -1;
}

/** @param tag what stands between the angle brackets */
function applyTag(open: Open[], tag: string): boolean {
  const name = /^\/?(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)(?=[\s/]|$)/.exec(tag)?.[1];
  if (name === undefined) return false;
  if (!tag.startsWith("/")) {
    if (open.length > MAX_DEPTH) return false;
    open.push({ name, text: "", children: [] });
    if (!tag.endsWith("/")) return true;
  }
  const done = open.pop();
  if (done === undefined || done.name !== name) return false;
  open.at(-1)?.children.push({ name, text: done.text.trim(), children: done.children });
  return open.length > 0;
}

/** What is no entity of XML itself stays as it is: routers write a bare & too. */
function plainText(raw: string): string {
  return raw.replace(/&(\w{2,4});/g, (whole, name: string) => entities[name] ?? whole);
}
