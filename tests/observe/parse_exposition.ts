/** A strict reader of Prometheus' text format, for tests: throws at whatever a scraper would refuse or promtool blames. */

export interface ReadFamily {
  readonly help: string;
  readonly type: string;
  /** By name and labels as written. */
  readonly samples: Map<string, number>;
}

const SAMPLE =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\[\\"n])*",?)*\})? (\S+)$/;

export function parseExposition(page: string): Map<string, ReadFamily> {
  const families = new Map<string, ReadFamily>();
  if (!page.endsWith("\n")) throw new Error("the last line has no line feed");
  let name = "";
  let help = "";
  for (const line of page.slice(0, -1).split("\n")) {
    const [, word, about, text] = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line) ?? [];
    if (word === "HELP") {
      if (families.has(about!)) throw new Error(`${about} stands twice`);
      [name, help] = [about!, text!];
    } else if (word === "TYPE") {
      if (about !== name || families.has(name)) throw new Error(`TYPE of ${about} does not follow its HELP`);
      families.set(name, { help, type: text!, samples: new Map() });
    } else readSample(line, name, families.get(name));
  }
  for (const [family, { type, samples }] of families) checkNames(family, type, samples);
  // OpenMetrics calls a counter without its `_total`: another family must not be called so.
  const bare = [...families.keys()].map((family) => family.replace(/_total$/, ""));
  const twice = bare.filter((family, index) => bare.indexOf(family) !== index);
  if (twice.length > 0) throw new Error(`${twice} would stand twice in OpenMetrics`);
  return families;
}

function readSample(line: string, name: string, family: ReadFamily | undefined): void {
  const [, sample, labels = "", value] = SAMPLE.exec(line) ?? [];
  if (sample === undefined || family === undefined) throw new Error(`not a sample: ${line}`);
  const suffixes = family.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
  if (!suffixes.some((suffix) => sample === name + suffix)) throw new Error(`${sample} is not of ${name}`);
  const key = sample + labels;
  if (family.samples.has(key)) throw new Error(`${key} stands twice`);
  const number = value === "+Inf" ? Infinity : Number(value);
  if (Number.isNaN(number)) throw new Error(`${value} is not a number`);
  family.samples.set(key, number);
}

/** What `promtool check metrics` wants of names and histograms. */
function checkNames(name: string, type: string, samples: ReadonlyMap<string, number>): void {
  if (samples.size === 0) throw new Error(`${name} has no samples`);
  if ((type === "counter") !== name.endsWith("_total")) throw new Error(`${name} is a ${type}`);
  if (/milli|_ms(_|$)|[A-Z]/.test(name)) throw new Error(`${name} is not in base units`);
  if (type !== "histogram") return;
  let before = 0;
  for (const [key, value] of samples) {
    if (!key.startsWith(`${name}_bucket`)) continue;
    if (value < before) throw new Error(`${key} falls`);
    before = key.includes('le="+Inf"') ? 0 : value;
  }
}
