/**
 * Draws the transition table as text: a diagram (mermaid) and a table of what moves a phase, for docs/vrrp-states.md.
 */
import type { Phase } from "./events.ts";
import { type Edge, TABLE } from "./table.ts";

const PHASES = Object.keys(TABLE) as Phase[];

/** A mermaid state diagram of all phases and moves. */
export function drawDiagram(): string {
  const lines = ["stateDiagram-v2", "  [*] --> initialize"];
  for (const from of PHASES) {
    const reasons = new Map<Phase, string[]>();
    for (const { to, when } of edgesOf(from)) {
      const known = reasons.get(to) ?? [];
      // Mermaid ends the label at the first further colon.
      const text = when.replaceAll(":", ",");
      if (!known.includes(text)) reasons.set(to, [...known, text]);
    }
    for (const [to, texts] of reasons) lines.push(`  ${from} --> ${to}: ${texts.join(" / ")}`);
  }
  return lines.join("\n");
}

/** A Markdown table: phase, input, next phase, when. */
export function drawMoves(): string {
  const rows = PHASES.flatMap((from) =>
    Object.entries(TABLE[from]).flatMap(([input, entry]) =>
      entry.edges.map(({ to, when }) => [from, `\`${input}\``, to, when])
    )
  );
  return drawTable([["phase", "input", "next", "when"], ...rows]);
}

function edgesOf(from: Phase): Edge[] {
  return Object.values(TABLE[from]).flatMap((entry) => entry.edges);
}

/** Columns as wide as their widest cell, as the formatter wants them. */
function drawTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  const rule = line(widths.map((width) => "-".repeat(width)));
  return [line(rows[0]!), rule, ...rows.slice(1).map(line)].join("\n");
}
