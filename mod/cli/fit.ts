/** Lines as a terminal of a size has them: what is too long is cut, as a table that wraps cannot be read. Pure. */

/** `columns`: null: there is no terminal, and nothing is cut. */
export function fitLines(text: string, columns: number | null): string {
  if (columns === null || columns < 2) return text;
  return text.split("\n").map((line) => {
    // By characters as people see them, not halves of them.
    const characters = [...line];
    return characters.length <= columns ? line : characters.slice(0, columns - 1).join("") + "…";
  }).join("\n");
}

/** The first lines that a terminal has room for, and how many more there are. `rows`: null: there is no terminal. */
export function fitRows(text: string, rows: number | null): string {
  const lines = text.replace(/\n+$/, "").split("\n");
  // The cursor stands below the last one.
  const room = rows === null ? Infinity : Math.max(2, rows - 1);
  if (lines.length <= room) return text;
  const left = lines.length - room + 1;
  return `${lines.slice(0, room - 1).join("\n")}\n… ${left} more lines\n`;
}
