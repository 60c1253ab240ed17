/**
 * The page that shows what is in a directory. Names are a stranger's: each is escaped for the place where it stands.
 * Pure.
 */
import { escapeMarkup } from "../route/respond.ts";
import type { DirectoryEntry, Failure, FileStatus } from "./file_system.ts";

/** More would be megabytes of page; it says how many are left out. */
const MAX_ENTRIES = 10_000;
/** Each look costs microseconds in which nothing else happens: with more entries sizes and dates are left out. */
const MAX_LOOKS = 2000;

export interface ListedDirectory {
  /** As the page is called: the path of the request, decoded. */
  readonly path: string;
  /** Whether there is a page above it. */
  readonly above: boolean;
  readonly entries: readonly DirectoryEntry[];
  /** Whether names that begin with a dot are shown. */
  readonly hidden: boolean;
  /** Looks at an entry by its name; does not follow links. */
  look(name: string): FileStatus | Failure;
}

/** The page. Directories stand first. */
export function listingPage({ path, above, entries, hidden, look }: ListedDirectory): string {
  const shown = entries
    .filter(({ name }) => hidden || !name.startsWith("."))
    .sort((a, b) => Number(b.directory) - Number(a.directory) || (a.name < b.name ? -1 : 1));
  const left = shown.length - MAX_ENTRIES;
  const looks = shown.length <= MAX_LOOKS;
  const lines = shown.slice(0, MAX_ENTRIES).map(({ name, directory }) => {
    const slash = directory ? "/" : "";
    // `./` keeps a name with a colon from being a scheme.
    const link = `<a href="./${encodeURIComponent(wellFormed(name))}${slash}">${
      escapeHtml(name)
    }${slash}</a>`;
    return row(link, looks ? look(name) : "missing");
  });
  if (above) lines.unshift(row('<a href="../">../</a>', "missing"));
  const more = left > 0 ? `<p>and ${left} more</p>\n` : "";
  const title = escapeHtml(path);
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${title}</title>
<style>td { padding-right: 2em } td:nth-child(2) { text-align: right }</style></head>
<body>
<h1>${title}</h1>
<table>
${lines.join("\n")}
</table>
${more}</body>
</html>
`;
}

/** Size in bytes, and the time of the last change in UTC; a link, which may lead anywhere, shows neither. */
function row(link: string, status: FileStatus | Failure): string {
  const known = typeof status !== "string" && status.kind !== "special";
  const size = known && status.kind === "file" ? `${status.size}` : "";
  const time = new Date(known ? status.modified : NaN);
  const date = isNaN(time.getTime()) ? "" : time.toISOString().slice(0, 16).replace("T", " ");
  return `<tr><td>${link}</td><td>${size}</td><td>${date}</td></tr>`;
}

function escapeHtml(text: string): string {
  return escapeMarkup(wellFormed(text));
}

/** Half a surrogate pair would make the encoders throw or differ. */
function wellFormed(text: string): string {
  return text.replace(/[\uD800-\uDFFF]/gu, "\uFFFD");
}
