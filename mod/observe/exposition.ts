/**
 * Prometheus' text exposition format, version 0.0.4: families of samples in, text out.
 *
 * HELP and TYPE stand once, before the family's samples; a family without samples is left out. Pure; it must not
 * know what is measured. (https://prometheus.io/docs/instrumenting/exposition_formats/)
 */

export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export type Labels = Readonly<Record<string, string>>;

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly samples: readonly Sample[];
}

export interface Sample {
  /** `_bucket`, `_sum` and `_count` of a histogram; nothing otherwise. */
  readonly suffix?: string;
  readonly labels: Labels;
  readonly value: number;
}

/** The whole page. Names must be valid; labels and help may hold anything. */
export function exposition(families: readonly Family[]): string {
  let page = "";
  for (const { name, help, type, samples } of families) {
    if (samples.length === 0) continue;
    page += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
    for (const { suffix = "", labels, value } of samples) {
      page += `${name}${suffix}${labelText(labels)} ${valueText(value)}\n`;
    }
  }
  return page;
}

/**
 * The samples of one histogram: `buckets` are not cumulated, and one more than `bounds`.
 * Bounds and sum are in the unit of the family.
 */
export function histogramSamples(
  labels: Labels,
  bounds: readonly number[],
  buckets: readonly number[],
  sum: number,
): Sample[] {
  let count = 0;
  const samples: Sample[] = buckets.map((inBucket, index) => {
    count += inBucket;
    return {
      suffix: "_bucket",
      labels: { ...labels, le: valueText(bounds[index] ?? Infinity) },
      value: count,
    };
  });
  samples.push({ suffix: "_sum", labels, value: sum }, { suffix: "_count", labels, value: count });
  return samples;
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function valueText(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
