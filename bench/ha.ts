/**
 * The benchmark of the election: a pair of Tandem beside a pair of keepalived, both in the same lab of namespaces, the
 * same faults, in turns. Everything is local to the lab, and gone when it ends, also by a signal.
 */
import { parseArgs } from "node:util";
import { parseDuration } from "../mod/base/duration.ts";
import { installTools, missing } from "../tests/lab/tools.ts";
import { type Fault, faultNamed, FAULTS, PEACEFUL, windowMs } from "./ha_faults.ts";
import { HA_PRODUCTS, type HaProduct } from "./ha_nodes_io.ts";
import { type HaSample, haTable, summarizeHa } from "./ha_report.ts";
import { runOnce } from "./ha_run_io.ts";

const NEEDS = ["root", "namespaces", "ip", "nft", "nginx", "curl", "keepalived"];
const USAGE = `deno task bench:ha [options]   (as root)
  --runs N          of each fault and product (3)
  --only FAULT      ${FAULTS.join(", ")}; may be repeated;
                    and, only by name: ${PEACEFUL.join(", ")}
  --product NAME    ${HA_PRODUCTS.join(", ")}; may be repeated
  --interval TIME   between adverts (100ms)
  --saturate        64 connections ask as fast as they can all the time, so that both cores are busy
  --window TIME     how long to watch from the fault on (some intervals and 3s)
  --logs DIRECTORY  keep what the nodes print
  --json            print samples and rows as JSON instead of the table`;

interface Options {
  readonly runs: number;
  readonly faults: readonly Fault[];
  readonly products: readonly HaProduct[];
  readonly intervalMs: number;
  readonly saturate: boolean;
  readonly windowMs: number | null;
  readonly logs: string | undefined;
  readonly json: boolean;
}

function options(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      runs: { type: "string", default: "3" },
      only: { type: "string", multiple: true, default: [] },
      product: { type: "string", multiple: true, default: [] },
      interval: { type: "string", default: "100ms" },
      saturate: { type: "boolean", default: false },
      window: { type: "string" },
      logs: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error("--runs must be a positive integer");
  const intervalMs = milliseconds("interval", values.interval);
  const faults = values.only.map((text) => {
    const fault = faultNamed(text);
    if (fault === undefined) throw new Error(`there is no fault called ${text}`);
    return fault;
  });
  const products = HA_PRODUCTS.filter((name) => values.product.length === 0 || values.product.includes(name));
  if (products.length < new Set(values.product).size) throw new Error("there is no such product");
  return {
    runs,
    faults: faults.length === 0 ? FAULTS : faults,
    products,
    intervalMs,
    saturate: values.saturate,
    windowMs: values.window === undefined ? null : milliseconds("window", values.window),
    logs: values.logs,
    json: values.json,
  };
}

function milliseconds(option: string, text: string): number {
  const time = parseDuration(text);
  if (typeof time !== "number") throw new Error(`--${option} must be a time, 100ms or 1s`);
  return time;
}

async function main(options: Options): Promise<number> {
  const { runs, faults, products, intervalMs, saturate, logs, json } = options;
  const needs = saturate ? [...NEEDS, "wrk"] : NEEDS;
  await installTools(["curl", "ip", "keepalived", "nft", "nginx", "wrk"]);
  const lacks = needs.map(missing).filter((reason) => reason !== null);
  if (lacks.length > 0) throw new Error(lacks.join(", "));
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => stop.abort());
  const directory = logs ?? await Deno.makeTempDir({ prefix: "tandem-bench-ha-" });
  const samples: HaSample[] = [];
  let whole = true;
  try {
    for (const fault of faults) {
      const able = products.filter((product) => product === "tandem" || fault !== "hand-over");
      for (let run = 1; run <= runs; run++) {
        for (const product of able) {
          if (stop.signal.aborted) break;
          const place = `${directory}/${product} ${fault} ${run}`.replaceAll(/[ %]+/g, "-");
          await Deno.mkdir(place, { recursive: true });
          const watchedMs = options.windowMs ?? windowMs(fault, intervalMs);
          const what = {
            product,
            fault,
            intervalMs,
            watchedMs,
            saturate,
            signal: stop.signal,
            directory: place,
          };
          const told = await runOnce(what).then((sample) => {
            samples.push(sample);
            return sentence(sample);
          }, (error) => {
            whole = false;
            return `not measured: ${(error as Error).message}`;
          });
          console.error(`${fault} ${run}/${runs} ${product}: ${told}`);
        }
      }
    }
  } finally {
    if (logs === undefined) await Deno.remove(directory, { recursive: true });
  }
  const rows = summarizeHa(samples);
  console.log(json ? JSON.stringify({ intervalMs, rows, samples }, null, 2) : haTable(rows));
  whole &&= !stop.signal.aborted;
  return whole && rows.every(({ worse }) => worse.length === 0) ? 0 : 1;
}

function sentence({ noneMs, bothMs, moves, failed, requests }: HaSample): string {
  return `no owner ${Math.round(noneMs)} ms, two ${Math.round(bothMs)} ms, moved ${moves} times, ` +
    `${failed} of ${requests} requests failed`;
}

if (import.meta.main) {
  if (Deno.args.includes("--help")) console.log(USAGE);
  else {
    try {
      Deno.exit(await main(options(Deno.args)));
    } catch (error) {
      console.error(`Cannot run the benchmark: ${(error as Error).message}\n\n${USAGE}`);
      Deno.exit(2);
    }
  }
}
