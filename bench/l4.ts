/**
 * The benchmark of layer 4: the same servers directly, through the kernel, through Tandem's proxy and through HAProxy, in
 * turns in one run; and what becomes of open connections when a node dies. `deno task bench:l4`, as root.
 */
import { parseArgs } from "node:util";
import { installTools } from "../tests/lab/tools.ts";
import { Pair, STRIKES, type Toll } from "./l4_failover_io.ts";
import { busyMicroseconds, Place, type Way, WAYS } from "./l4_io.ts";
import { align, median } from "./report.ts";

const USAGE = `deno task bench:l4 [options]
  --seconds N      length of one measurement (2)
  --repeat N       measurements of each way, by turns (5)
  --connections N  of wrk, and open ones of the failover (200)
  --strikes N      at the node that has the address, in three ways by turns (3)
  --only NAME      requests, bulk or failover; may be repeated`;
const WARM_UP_SECONDS = 1;
const NOBODY = { requests: 0, microseconds: 1, errors: 0, p50: 0, p99: 0 };

interface Measured {
  readonly way: Way;
  readonly perSecond: number;
  readonly cpu: number;
  readonly p99: number;
  readonly errors: number;
  readonly gigabits: number;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: "string", default: "2" },
      repeat: { type: "string", default: "5" },
      connections: { type: "string", default: "200" },
      strikes: { type: "string", default: `${STRIKES.length}` },
      only: { type: "string", multiple: true, default: ["requests", "bulk", "failover"] },
      help: { type: "boolean" },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  await installTools(["curl", "haproxy", "ip", "iperf3", "nft", "nginx", "wrk"]);
  const [seconds, repeat] = [Number(values.seconds), Number(values.repeat)];
  const connections = Number(values.connections);
  const parts = new Set(values.only);
  if (parts.has("requests") || parts.has("bulk")) {
    await using place = await Place.open();
    const measured: Measured[] = [];
    for (let turn = 0; turn < repeat; turn++) {
      for (const way of WAYS) {
        measured.push(await measure(place, way, connections, seconds, parts));
      }
    }
    console.log(report(measured));
  }
  if (!parts.has("failover")) return 0;
  const { broken, requests, moves } = await failover(connections, Number(values.strikes));
  console.log(`after ${moves} moves and ${requests} requests ${broken} connections were broken`);
  return broken === 0 ? 0 : 1;
}

async function measure(
  place: Place,
  way: Way,
  connections: number,
  seconds: number,
  parts: ReadonlySet<string>,
): Promise<Measured> {
  let [result, cpu, bits] = [NOBODY, 0, 0];
  if (parts.has("requests")) {
    await place.requests(way, connections, WARM_UP_SECONDS);
    const before = busyMicroseconds();
    result = await place.requests(way, connections, seconds);
    cpu = (busyMicroseconds() - before) / result.requests;
  }
  if (parts.has("bulk")) bits = await place.bulk(way, seconds);
  const perSecond = result.requests / result.microseconds * 1_000_000;
  return { way, perSecond, cpu, p99: result.p99, errors: result.errors, gigabits: bits / 1e9 };
}

/** Medians; a ratio is the median of those within one turn, so that what is slow for a while is so for both. */
function report(measured: readonly Measured[]): string {
  const all = (way: Way) => measured.filter((one) => one.way === way);
  const of = (way: Way, value: (one: Measured) => number) => median(all(way).map(value));
  const ratio = (way: Way, to: Way) =>
    median(all(way).map(({ perSecond }, turn) => perSecond / all(to)[turn]!.perSecond)).toFixed(2);
  const rows = WAYS.map((way) => {
    return [
      way,
      of(way, ({ perSecond }) => perSecond).toFixed(0),
      ratio(way, "direct"),
      ratio(way, "haproxy"),
      of(way, ({ cpu }) => cpu).toFixed(1),
      (of(way, ({ p99 }) => p99) / 1000).toFixed(2),
      of(way, ({ gigabits }) => gigabits).toFixed(2),
      String(measured.filter((one) => one.way === way).reduce((sum, { errors }) => sum + errors, 0)),
    ];
  });
  const headings = ["way", "req/s", "× direct", "× haproxy", "CPU µs/req", "p99 ms", "bulk Gbit/s", "errors"];
  return align([headings, ...rows], 1);
}

/** The node that has the address is struck again and again, in all ways in turn. */
async function failover(connections: number, strikes: number): Promise<Toll> {
  await using pair = await Pair.open();
  return await pair.endure(connections, strikes, (how, { broken, requests }) => {
    console.log(`${how}: ${broken} of ${connections} open connections broken, ${requests} requests so far`);
  });
}
