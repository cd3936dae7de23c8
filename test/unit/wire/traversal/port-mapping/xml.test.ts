import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  findElement,
  findElements,
  MAX_XML_CHARACTERS,
  readXml,
  type XmlElement,
} from "../../../../../src/wire/traversal/port-mapping/xml.ts";

const leaf = (name: string, text = ""): XmlElement => ({ name, text, children: [] });

test("readXml() reads elements and text, and leaves out namespaces, attributes, comments and instructions", () => {
  const source = `\uFEFF<?xml version="1.0"?>\r\n<!-- a > b --><s:a xmlns:s="urn:x" b='>'><c>one</c> <c d="</c>">two</c
    ><s:e/><f g="h" /></s:a>\n`;
  expect(readXml(source)).toEqual({
    name: "a",
    text: "",
    children: [leaf("c", "one"), leaf("c", "two"), leaf("e"), leaf("f")],
  });
});

test("readXml() knows the five entities of XML and leaves any other as it stands", () => {
  expect(readXml("<a>&lt;b&gt; &amp;amp; AT&T &bomb; &#65;</a>")).toEqual(leaf("a", "<b> &amp; AT&T &bomb; &#65;"));
});

test("readXml() refuses declarations, so that nothing can grow or be fetched", () => {
  expect(readXml('<!DOCTYPE a [<!ENTITY b "bbbbbbbb">]><a>&b;</a>')).toBeNull();
  expect(readXml('<!DOCTYPE a SYSTEM "http://28.0.0.1/x"><a/>')).toBeNull();
  expect(readXml("<a><![CDATA[b]]></a>")).toBeNull();
});

test("readXml() refuses what is not well-formed", () => {
  for (const bad of [
    "",
    "a",
    "<a>",
    "</a>",
    "<a></b>",
    "<a/><b/>",
    "<a/>b",
    "a<a/>",
    "<a",
    "<a b='>",
    "<a><b></a></b>",
    "<1/>",
    "< a/>",
    "<?a",
    "<!--",
    "<a>< /a>",
  ])
    expect(readXml(bad)).toBeNull();
});

test("readXml() refuses what is too long, too deep or too rich", () => {
  const deep = (depth: number) => "<a>".repeat(depth) + "</a>".repeat(depth);
  expect(readXml(deep(24))).not.toBeNull();
  expect(readXml(deep(25))).toBeNull();
  expect(readXml(`<a>${"<b/>".repeat(8_190)}</a>`)?.children).toHaveLength(8_190);
  expect(readXml(`<a>${"<b/>".repeat(8_191)}</a>`)).toBeNull();
  expect(readXml(`<a>${"b".repeat(MAX_XML_CHARACTERS - 7)}</a>`)?.text).toHaveLength(MAX_XML_CHARACTERS - 7);
  expect(readXml(`<a>${"b".repeat(MAX_XML_CHARACTERS - 6)}</a>`)).toBeNull();
});

test("readXml() reads back any tree of elements", () => {
  const name = fc.stringMatching(/^[a-zA-Z_][\w.-]{0,8}$/);
  const text = fc.stringMatching(/^[^<&]{0,12}$/).map((text) => text.trim());
  const leaf = fc.record({ name, text, children: fc.constant([]) });
  const { tree } = fc.letrec<{ tree: XmlElement }>((tie) => ({
    tree: fc.oneof({ maxDepth: 5 }, leaf, fc.record({ name, text, children: fc.array(tie("tree"), { maxLength: 3 }) })),
  }));
  const write = ({ name, text, children }: XmlElement): string =>
    `<n:${name} x="1">${text}${children.map(write).join("")}</n:${name}>`;
  fc.assert(fc.property(tree, (tree) => expect(readXml(write(tree))).toEqual(tree)));
});

test("findElement() and findElements() look at any depth, in the order of the document", () => {
  const root = readXml("<a><b><c>1</c></b><c>2</c><d><e><c>3</c></e></d></a>") ?? leaf("none");
  expect(findElements(root, "c").map(({ text }) => text)).toEqual(["1", "2", "3"]);
  expect(findElement(root, "c")).toEqual(leaf("c", "1"));
  expect(findElement(root, "z")).toBeNull();
});
