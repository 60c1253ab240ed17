/** Lines as a terminal of a width has them: what is too long is cut, as a table that wraps cannot be read. Pure. */

/** `columns`: null: there is no terminal, and nothing is cut. */
export function fitLines(text: string, columns: number | null): string {
  if (columns === null || columns < 2) return text;
  return text.split("\n").map((line) => {
    // By characters as people see them, not halves of them.
    const characters = [...line];
    return characters.length <= columns ? line : characters.slice(0, columns - 1).join("") + "…";
  }).join("\n");
}
