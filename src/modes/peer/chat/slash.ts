/** What a line written here asks for. Lines of others are never read like this. */
export type Said =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "help" | "path" | "quit" | "verify" }
  | { readonly kind: "send"; readonly paths: string }
  | { readonly kind: "unknown"; readonly word: string };

export const helpLines: readonly string[] = [
  "/send PATH  offer a file",
  "/path       how you are connected, and why",
  "/verify     compare the safety number",
  "/quit       leave; so do Ctrl-C and Ctrl-D",
  "//TEXT      say something that begins with a slash",
];

export function readSaid(line: string): Said {
  if (!line.startsWith("/")) return { kind: "text", text: line };
  if (line.startsWith("//")) return { kind: "text", text: line.slice(1) };
  const [, word = "", rest = ""] = /^\/(\S*)\s*(.*)$/su.exec(line) ?? [];
  switch (word) {
    case "help":
    case "path":
    case "quit":
    case "verify":
      return { kind: word };
    case "send":
      return { kind: "send", paths: rest.trim() };
    default:
      return { kind: "unknown", word };
  }
}
