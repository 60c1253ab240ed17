/** From runs of the election's benchmark to its table: medians, worst cases, and what is worse than keepalived. Pure. */
import type { Fault } from "./ha_faults.ts";
import type { Ownership } from "./ha_owners.ts";
import { median } from "./report.ts";

export interface HaSample extends Ownership {
  readonly fault: Fault;
  readonly product: string;
  /** Requests of the watched time that were not answered in time, and all of them. */
  readonly failed: number;
  readonly requests: number;
}

export interface HaRow {
  readonly fault: Fault;
  readonly product: string;
  readonly runs: number;
  readonly none: Spread;
  readonly both: Spread;
  readonly failed: Spread;
  /** In some run two nodes held the address to the end. */
  readonly endless: boolean;
  /** The medians that are beyond keepalived's and what is allowed on top; empty for keepalived itself. */
  readonly worse: readonly string[];
}

interface Spread {
  readonly median: number;
  readonly worst: number;
}

const REFERENCE = "keepalived";
/** What a median may be above keepalived's: 10 % and 20 ms; of requests, what fails in 20 ms at 200 a second. */
const ALLOWED_RATIO = 1.1;
const ALLOWED_MS = 20;
const ALLOWED_REQUESTS = 4;

export function summarizeHa(samples: readonly HaSample[]): HaRow[] {
  const groups = [...Map.groupBy(samples, ({ fault, product }) => `${fault} ${product}`).values()];
  const rows = groups.map((group): HaRow => ({
    fault: group[0]!.fault,
    product: group[0]!.product,
    runs: group.length,
    none: spread(group.map(({ noneMs }) => noneMs)),
    both: spread(group.map(({ bothMs }) => bothMs)),
    failed: spread(group.map(({ failed }) => failed)),
    endless: group.some(({ bothAtEnd }) => bothAtEnd),
    worse: [],
  }));
  return rows.map((row) => {
    const reference = rows.find(({ fault, product }) => fault === row.fault && product === REFERENCE);
    if (reference === undefined || row === reference) return row;
    const beyond = (of: (row: HaRow) => Spread, allowed: number) =>
      of(row).median > of(reference).median * ALLOWED_RATIO + allowed;
    const worse = [
      beyond(({ none }) => none, ALLOWED_MS) ? "no owner" : "",
      beyond(({ both }) => both, ALLOWED_MS) ? "two owners" : "",
      beyond(({ failed }) => failed, ALLOWED_REQUESTS) ? "failed requests" : "",
    ];
    return { ...row, worse: worse.filter((what) => what !== "") };
  });
}

/** The rows as a Markdown table; `>`: it lasted to the end of the watched time. */
export function haTable(rows: readonly HaRow[]): string {
  const head = ["fault", "product", "runs", "no owner, ms", "two owners, ms", "failed requests", "worse in"];
  const lines = rows.map(({ fault, product, runs, none, both, failed, endless, worse }) => [
    ...[fault, product, `${runs}`, cell(none), (endless ? "> " : "") + cell(both), cell(failed)],
    worse.join(", ") || "-",
  ]);
  const all = [head, ...lines];
  const widths = head.map((_, column) => Math.max(...all.map((line) => line[column]!.length)));
  const text = (line: readonly string[]) =>
    `| ${line.map((cell, at) => cell.padEnd(widths[at]!)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [text(head), rule, ...lines.map(text)].join("\n");
}

function spread(values: readonly number[]): Spread {
  return { median: median(values), worst: Math.max(...values) };
}

function cell({ median, worst }: Spread): string {
  return `${Math.round(median)} / ${Math.round(worst)}`;
}
