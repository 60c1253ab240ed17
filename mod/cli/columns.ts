/**
 * A table for a person: aligned where the terminal is wide enough; where it is not, the columns that fit, and the rest of
 * each row below it, each by its name, so that nothing is cut. Pure.
 */

export interface TableLook {
  /** Columns of numbers, which stand to the right. */
  readonly right?: ReadonlySet<string>;
  /** Of the terminal; null: there is none, and lines may be as long as they are. */
  readonly columns: number | null;
}

const INDENT = "  ";
const BELOW = "      ";

/** `rows`: a cell for each heading, the last one free text. The text, with its last newline. */
export function tableText(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  { right = new Set(), columns }: TableLook,
): string {
  const all = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const fitting = columns === null ? headings.length : columnsThatFit(widths, columns);
  const line = (row: readonly string[]) => {
    const cells = row.slice(0, fitting).map((cell, column) =>
      right.has(headings[column]!) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)
    );
    return `${INDENT}${cells.join("  ").trimEnd()}\n`;
  };
  if (fitting === headings.length) return all.map(line).join("");
  const below = (row: readonly string[]) => {
    const last = headings.length - 1;
    const named = headings.slice(fitting, last).map((heading, at) => `${heading} ${row[fitting + at]}`);
    const words = [named.join(", "), row[last]!].filter((part) => part !== "").join(": ");
    return wrapped(words, columns! - BELOW.length).map((text) => `${BELOW}${text}\n`).join("");
  };
  return line(headings) + rows.map((row) => line(row) + below(row)).join("");
}

/** How many of the first, at least one. */
function columnsThatFit(widths: readonly number[], columns: number): number {
  let used = 0, count = 0;
  for (const width of widths) {
    used += INDENT.length + width;
    if (used > columns) break;
    count++;
  }
  return Math.max(1, count);
}

/** Lines of at most so many characters, broken at spaces where there are any. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").filter((word) => word !== "")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" ? lines : [...lines, line];
}
