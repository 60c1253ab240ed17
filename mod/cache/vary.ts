/**
 * Which of several stored answers of one URL a request gets (RFC 9111 section 4.1). Pure.
 */

/** Names in one `Vary`; nobody means more. */
const MAX_NAMES = 16;
const NONE: readonly string[] = [];
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/** The lower-case names, sorted; null: `*`, or what cannot be read, which no other request ever matches. */
export function varyNames(vary: string | null): readonly string[] | null {
  if (vary === null || vary.trim() === "") return NONE;
  const names = vary.toLowerCase().split(",").map((one) => one.trim()).filter((one) => one !== "");
  if (names.length > MAX_NAMES || !names.every((one) => one !== "*" && NAME.test(one))) return null;
  return [...new Set(names)].sort();
}

/** What of a request is compared: its values of these fields, made alike where they mean the same. */
export function selection(names: readonly string[], field: (name: string) => string | null): string {
  let text = "";
  for (const name of names) text += `${normalized(name, field(name))}\n`;
  return text;
}

function normalized(name: string, value: string | null): string {
  if (value === null) return "";
  if (name === "accept-encoding") return `=${codings(value)}`;
  return `=${value.split(",").map((one) => one.trim()).join(",")}`;
}

/** The codings that may be used, whatever their order: without it every browser would have an answer of its own. */
function codings(value: string): string {
  const text = value.toLowerCase().replace(/[ \t]+/g, "");
  // Where something is refused or meant as a whole, the words themselves count.
  if (/\*|identity|q=0(?:\.0*)?(?:,|$)/.test(text)) return text;
  const names = text.split(",").map((one) => one.split(";", 1)[0]!).filter((one) => one !== "");
  return [...new Set(names)].sort().join(",");
}
