/** The certificates of a node as a table for a person. Pure. */
import type { CertificateEntry } from "../observe/certificate_list.ts";
import { span } from "./status_table.ts";

const HEADINGS = ["name", "state", "expires", "next attempt", "used by", "issuer", "last error"];

/** The text, with its last newline. `now` is milliseconds since 1970. */
export function certificateTable(entries: readonly CertificateEntry[], now: number): string {
  if (entries.length === 0) return "the configuration names no certificate\n";
  const rows = [HEADINGS, ...entries.map((entry) => rowOf(entry, now))];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd() + "\n"
  );
  // deno-lint-ignore no-control-regex -- control characters are what is removed
  return lines.join("").replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, "?");
}

function rowOf(entry: CertificateEntry, now: number): string[] {
  const { name, state, expiresAt, nextAt, listeners, issuer, lastError, uses } = entry;
  return [
    name,
    state,
    expiresAt === null ? "-" : expiresAt <= now ? "expired" : `in ${span(expiresAt - now)}`,
    nextAt === null ? "-" : nextAt <= now ? "now" : `in ${span(nextAt - now)}`,
    [...listeners, ...uses].join(",") || "-",
    issuer || "-",
    lastError.replaceAll("\n", " "),
  ];
}
