/** From measurements to the table: medians of the repetitions and ratios to a peer. Pure. */

/** One repetition of one scenario with one product. Times in microseconds, memory in bytes. */
export interface Sample {
  readonly scenario: string;
  readonly product: string;
  readonly cpuPerRequest: number;
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly errors: number;
}

export interface Row extends Sample {
  readonly repetitions: number;
  /** CPU per request divided by that of the reference product; null when that was not measured. */
  readonly ratio: number | null;
}

/** The product that all others are compared with: the first that was measured. */
export const REFERENCES = ["haproxy", "nginx"];

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/**
 * Growth over the second half of equally spaced samples, 0.05 for 5 %: the median of the last tenth against the median
 * of the tenth that follows the middle, so that one sample before or after a garbage collection decides nothing.
 */
export function growth(samples: readonly number[]): number {
  const tenth = Math.max(1, Math.floor(samples.length / 10));
  const middle = Math.floor(samples.length / 2);
  return median(samples.slice(-tenth)) / median(samples.slice(middle, middle + tenth)) - 1;
}

/** One row for every scenario and product, in the order of their first samples. Errors are summed, not averaged away. */
export function summarize(samples: readonly Sample[]): Row[] {
  const groups = Map.groupBy(samples, ({ scenario, product }) => `${scenario} ${product}`);
  const rows = [...groups.values()].map((group): Row => {
    const middle = (value: (sample: Sample) => number) => median(group.map(value));
    const { scenario, product } = group[0] as Sample;
    return {
      scenario,
      product,
      repetitions: group.length,
      cpuPerRequest: middle((sample) => sample.cpuPerRequest),
      requestsPerSecond: middle((sample) => sample.requestsPerSecond),
      p50: middle((sample) => sample.p50),
      p99: middle((sample) => sample.p99),
      errors: group.reduce((sum, sample) => sum + sample.errors, 0),
      ratio: null,
    };
  });
  return rows.map((row) => {
    const [reference] = REFERENCES.flatMap((name) =>
      rows.filter(({ scenario, product }) => scenario === row.scenario && product === name)
    );
    return reference === undefined ? row : { ...row, ratio: row.cpuPerRequest / reference.cpuPerRequest };
  });
}

const COLUMNS = [
  "scenario",
  "product",
  "CPU µs/req",
  "× peer",
  "req/s",
  "p50 ms",
  "p99 ms",
  "errors",
];

/** The rows as one aligned table of text. */
export function table(rows: readonly Row[]): string {
  return align([
    COLUMNS,
    ...rows.map((row) => [
      row.scenario,
      row.product,
      row.cpuPerRequest.toFixed(1),
      row.ratio === null ? "-" : row.ratio.toFixed(2),
      row.requestsPerSecond.toFixed(0),
      (row.p50 / 1000).toFixed(2),
      (row.p99 / 1000).toFixed(2),
      `${row.errors}`,
    ]),
  ]);
}

/** Lines of cells as text: two columns of names to the left, numbers to the right. */
export function align(lines: readonly (readonly string[])[], left = 2): string {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => (line[column] ?? "").length))
  );
  return lines.map((line) =>
    line.map((cell, column) =>
      column < left ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
    ).join("  ").trimEnd()
  ).join("\n");
}
