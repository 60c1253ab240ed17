/**
 * The page that shows what is in a directory. Names are a stranger's: each is escaped for the place where it stands.
 * Pure.
 */
import type { DirectoryEntry } from "./file_system.ts";

/** More would be megabytes of page; it says how many are left out. */
const MAX_ENTRIES = 10_000;

/** The page of a directory whose path is `path`, decoded. Directories stand first. */
export function listingPage(path: string, entries: readonly DirectoryEntry[], hidden: boolean): string {
  const shown = entries
    .filter(({ name }) => hidden || !name.startsWith("."))
    .sort((a, b) => Number(b.directory) - Number(a.directory) || (a.name < b.name ? -1 : 1));
  const left = shown.length - MAX_ENTRIES;
  const lines = shown.slice(0, MAX_ENTRIES).map(({ name, directory }) => {
    const slash = directory ? "/" : "";
    // `./` keeps a name with a colon from being a scheme.
    return `<li><a href="./${encodeURIComponent(wellFormed(name))}${slash}">${
      escapeHtml(name)
    }${slash}</a></li>`;
  });
  if (path !== "/" && path !== "") lines.unshift('<li><a href="../">../</a></li>');
  const more = left > 0 ? `<p>and ${left} more</p>\n` : "";
  const title = escapeHtml(path === "" ? "/" : path);
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${title}</title></head>
<body>
<h1>${title}</h1>
<ul>
${lines.join("\n")}
</ul>
${more}</body>
</html>
`;
}

export function escapeHtml(text: string): string {
  return wellFormed(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Half a surrogate pair would make the encoders throw or differ. */
function wellFormed(text: string): string {
  return text.replace(/[\uD800-\uDFFF]/gu, "\uFFFD");
}
