/** The 60 digits of a safety number in four lines of three groups, as they are read aloud. */
export function digitLines(digits: string): string[] {
  const groups = digits.match(/\d{5}/g) ?? [];
  return Array.from({ length: Math.ceil(groups.length / 3) }, (_, row) => groups.slice(row * 3, row * 3 + 3).join(" "));
}
