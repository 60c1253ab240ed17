/**
 * Prometheus' text exposition format, version 0.0.4: families of samples in, text out; and the same as OpenMetrics.
 *
 * HELP and TYPE stand once, before the family's samples; a family without samples is left out. Pure; it must not
 * know what is measured. (https://prometheus.io/docs/instrumenting/exposition_formats/)
 */

export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md */
export const OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/** Whether the field `Accept` of a scraper names OpenMetrics; what it prefers among both does not matter to it. */
export function wantsOpenMetrics(accept: string): boolean {
  return accept.split(",").some((range) => {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    return type === "application/openmetrics-text" && !parameters.some((one) => /^q=0(\.0*)?$/.test(one));
  });
}

/** A page of the text format as OpenMetrics: families of counters are called without `_total`, and the end is told. */
export function openMetrics(page: string): string {
  return page.replace(/^(# (?:HELP|TYPE) \S+)_total /gm, "$1 ") + "# EOF\n";
}

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
      labels: { ...labels, le: boundText(bounds[index] ?? Infinity) },
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

/** With a point, as OpenMetrics wants it, and the same in both formats. */
function boundText(bound: number): string {
  return Number.isInteger(bound) ? `${bound}.0` : valueText(bound);
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
