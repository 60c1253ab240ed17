/**
 * The benchmark of layer 4: the same servers directly, through the kernel, through Tandem's proxy and through HAProxy, in
 * turns in one run; and what becomes of open connections when a node dies. `deno task bench:l4`, as root.
 */
import { parseArgs } from "node:util";
import { HeldConnections } from "../tests/lab/forwarding.ts";
import { installTools } from "../tests/lab/tools.ts";
import { Pair, STRIKES, VIP_PORT } from "./l4_failover_io.ts";
import { busyMicroseconds, Place, type Way, WAYS } from "./l4_io.ts";
import { align, median } from "./report.ts";

const USAGE = `deno task bench:l4 [options]
  --seconds N      length of one measurement (3)
  --repeat N       measurements of each way (3)
  --connections N  of wrk (64), and open ones of the failover (200)
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
      seconds: { type: "string", default: "3" },
      repeat: { type: "string", default: "3" },
      connections: { type: "string" },
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
  const parts = new Set(values.only);
  if (parts.has("requests") || parts.has("bulk")) {
    await using place = await Place.open();
    const measured: Measured[] = [];
    for (let turn = 0; turn < repeat; turn++) {
      for (const way of WAYS) {
        measured.push(await measure(place, way, Number(values.connections ?? 64), seconds, parts));
      }
    }
    console.log(report(measured));
  }
  if (!parts.has("failover")) return 0;
  const broken = await failover(Number(values.connections ?? 200));
  console.log(broken.map(([how, gone, of]) => `${how}: ${gone} of ${of} open connections broke`).join("\n"));
  return 0;
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

function report(measured: readonly Measured[]): string {
  const of = (way: Way, value: (one: Measured) => number) =>
    median(measured.filter((one) => one.way === way).map(value));
  const [direct, haproxy] = (["direct", "haproxy"] as const).map((way) => of(way, (one) => one.perSecond));
  const rows = WAYS.map((way) => {
    const perSecond = of(way, ({ perSecond }) => perSecond);
    return [
      way,
      perSecond.toFixed(0),
      (perSecond / direct!).toFixed(2),
      (perSecond / haproxy!).toFixed(2),
      of(way, ({ cpu }) => cpu).toFixed(1),
      (of(way, ({ p99 }) => p99) / 1000).toFixed(2),
      of(way, ({ gigabits }) => gigabits).toFixed(2),
      String(measured.filter((one) => one.way === way).reduce((sum, { errors }) => sum + errors, 0)),
    ];
  });
  const headings = ["way", "req/s", "× direct", "× haproxy", "CPU µs/req", "p99 ms", "bulk Gbit/s", "errors"];
  return align([headings, ...rows], 1);
}

/** A node dies in three ways under open connections that are asked all the time. */
async function failover(count: number): Promise<[how: string, gone: number, of: number][]> {
  const results: [string, number, number][] = [];
  for (const how of STRIKES) {
    await using pair = await Pair.open();
    const held = new HeldConnections(pair.forwarding.lab, ...VIP_PORT, count);
    const before = await held.ask();
    await pair.strike(how);
    let after = before;
    // Asked on while the address moves, and once it has.
    while (!await pair.moved()) after = await held.ask();
    after = await held.ask();
    results.push([how, after.filter((server, at) => server !== before[at]).length, count]);
    await held.close();
  }
  return results;
}
