/**
 * The benchmark: Tandem beside HAProxy and nginx, on this machine, in one run and one table.
 *
 * For every scenario all products are started and warmed up, then measured in turns (A, B, C, A, B, C …), so that a
 * noisy minute hurts all of them; medians of the turns are compared. CPU per request is what the product's processes
 * used divided by the requests that were answered. Traffic stays on loopback.
 */
import { parseArgs } from "node:util";
import { installTools, requireTool } from "../tests/lab/tools.ts";
import { type Backends, startBackends, startBusy } from "./backends_io.ts";
import { openIdle } from "./idle_io.ts";
import { handshakes, load, load2 } from "./load_io.ts";
import { cpuMicroseconds, memoryBytes } from "./process_io.ts";
import { type ProductName, PRODUCTS, type Started, startProduct } from "./products_io.ts";
import { align, type Sample, summarize, table } from "./report.ts";
import { BUSY_CONNECTIONS, BUSY_PATH, type Scenario, SCENARIOS, STREAMS } from "./scenarios.ts";

/** A JIT needs some thousand requests to show what it does in the long run; the others get the same. */
const WARM_UP_SECONDS = 3;
const IDLE_CONNECTIONS = 5000;
const IDLE = "idle";
const NEWLINE = 0x0a;
/** The argument by which a process of a function is known: what it computes is not the balancer's cost. */
const FUNCTION = "function";
/** Time for a batched log to be written. */
const LOG_SETTLE_MS = 1_500;

const USAGE = `deno task bench [options]
  --only NAME       a scenario (${[...SCENARIOS.map(({ name }) => name), IDLE].join(", ")}); may be repeated
  --product NAME    a product (${PRODUCTS.join(", ")}); may be repeated
  --seconds N       length of one measurement (5)
  --repeat N        measurements of each product (3)
  --json            print samples and medians as JSON instead of the tables`;

interface Options {
  readonly only: readonly string[];
  readonly products: readonly ProductName[];
  readonly seconds: number;
  readonly repeat: number;
  readonly json: boolean;
}

interface IdleRow {
  readonly product: string;
  readonly beforeBytes: number;
  readonly idleBytes: number;
  readonly bytesPerConnection: number;
}

function options(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string", multiple: true, default: [] },
      product: { type: "string", multiple: true, default: [] },
      seconds: { type: "string", default: "5" },
      repeat: { type: "string", default: "3" },
      json: { type: "boolean", default: false },
    },
  });
  const unknown = [
    ...values.only.filter((name) => name !== IDLE && !SCENARIOS.some((scenario) => scenario.name === name)),
    ...values.product.filter((name) => !PRODUCTS.some((product) => product === name)),
  ];
  const [seconds, repeat] = [Number(values.seconds), Number(values.repeat)];
  if (unknown.length > 0) throw new Error(`there is no scenario or product called ${unknown.join(", ")}`);
  if (!Number.isInteger(seconds) || seconds < 1) throw new Error("--seconds must be a positive integer");
  if (!Number.isInteger(repeat) || repeat < 1) throw new Error("--repeat must be a positive integer");
  const products = PRODUCTS.filter((name) => values.product.length === 0 || values.product.includes(name));
  return { only: values.only, products, seconds, repeat, json: values.json };
}

/** Starts the products of a scenario, in order; those that do not come up are reported and left out. */
async function startAll(
  names: readonly ProductName[],
  scenario: Scenario,
  backends: Backends,
  directory: string,
): Promise<Started[]> {
  const started: Started[] = [];
  for (const name of names) {
    // It has no files to answer with.
    if (scenario.files && name === "haproxy") continue;
    try {
      started.push(await startProduct(name, scenario, backends, directory));
    } catch (error) {
      console.error(`${scenario.name}: ${(error as Error).message}`);
    }
  }
  return started;
}

/** Two products that do different work cannot be compared: each must say where a request came from, by all rules. */
async function checkForwarded(started: Started, scenario: Scenario): Promise<void> {
  if (scenario.protocol !== "http" || scenario.files) return;
  // The certificate is nobody's, and curl has a way to say so.
  const url = `${scenario.tls ? "https" : "http"}://127.0.0.1:${started.port}/forwarded`;
  const curl = scenario.tls ? requireTool("curl") : null;
  if (curl !== null && "skip" in curl) throw new Error(curl.skip);
  const text = curl === null
    ? await (await fetch(url)).text()
    : new TextDecoder().decode((await new Deno.Command(curl.path, { args: ["-sk", url] }).output()).stdout);
  const wanted = `127.0.0.1 ${scenario.rules ? "bench 127.0.0.1" : ""}`.trim();
  if (text.trim() !== wanted) throw new Error(`${started.product} sends "${text}" and not "${wanted}"`);
}

/** And each must have compressed. */
async function checkCompressed({ product, url }: Started): Promise<void> {
  const curl = requireTool("curl");
  if ("skip" in curl) throw new Error(curl.skip);
  const args = ["-s", "-o", "/dev/null", "-D", "-", "-H", "Accept-Encoding: gzip", url];
  const { stdout } = await new Deno.Command(curl.path, { args }).output();
  if (!/^content-encoding: gzip/im.test(new TextDecoder().decode(stdout))) {
    throw new Error(`${product} compresses nothing`);
  }
}

/**
 * Empties a product's access log, which would fill the disk, and says how many lines it had: a log that leaves lines
 * out costs less.
 */
async function takeLogLines(started: Started): Promise<number> {
  let lines = 0;
  const file = await Deno.open(started.log);
  for await (const chunk of file.readable) for (const byte of chunk) if (byte === NEWLINE) lines++;
  await Deno.truncate(started.log);
  return lines;
}

async function measure(
  started: Started,
  scenario: Scenario,
  wrk: string,
  seconds: number,
): Promise<Sample> {
  const { connections, upload, gzip, beside } = scenario;
  if (scenario.accessLog) await takeLogLines(started);
  const cpuNow = () => cpuMicroseconds(started.running.pid, FUNCTION);
  const before = cpuNow();
  const busy = beside ? askBeside(started, wrk, seconds) : null;
  const result = scenario.handshakes !== null
    ? await handshakes(pathOf("openssl"), {
      port: started.port,
      path: scenario.path,
      seconds,
      resumed: scenario.handshakes === "resumed",
    })
    : scenario.http2
    ? await load2(pathOf("h2load"), { url: started.url, connections, streams: STREAMS, seconds })
    : await load(wrk, { url: started.url, connections, upload, seconds, gzip });
  const cpu = cpuNow() - before;
  if (scenario.accessLog) {
    await new Promise((resolve) => setTimeout(resolve, LOG_SETTLE_MS));
    const share = await takeLogLines(started) / result.requests;
    if (share < 0.99) {
      console.error(`${started.product} logged only ${(share * 100).toFixed(0)} % of the requests`);
    }
  }
  return {
    scenario: scenario.name,
    product: started.product,
    cpuPerRequest: cpu / Math.max(1, result.requests),
    requestsPerSecond: result.requests * 1_000_000 / result.microseconds,
    p50: result.p50,
    p99: result.p99,
    errors: result.errors + (await busy ?? 0),
  };
}

/** Keeps the other route busy for that time. How often that went wrong; nothing answered is wrong too. */
async function askBeside({ port }: Started, wrk: string, seconds: number): Promise<number> {
  const url = `http://127.0.0.1:${port}${BUSY_PATH}`;
  const { requests, errors } = await load(wrk, {
    url,
    connections: BUSY_CONNECTIONS,
    upload: 0,
    seconds,
    gzip: false,
  });
  return requests === 0 ? errors + 1 : errors;
}

function pathOf(name: string): string {
  const tool = requireTool(name);
  if ("skip" in tool) throw new Error(tool.skip);
  return tool.path;
}

async function measureScenario(
  scenario: Scenario,
  { products, seconds, repeat }: Options,
  backends: Backends,
  wrk: string,
  directory: string,
): Promise<Sample[]> {
  const busy = scenario.beside ? await startBusy(backends.busyPort, directory) : null;
  const started = await startAll(products, scenario, backends, directory);
  const samples: Sample[] = [];
  try {
    for (const each of started) {
      await checkForwarded(each, scenario);
      if (scenario.gzip) await checkCompressed(each);
      await measure(each, scenario, wrk, Math.min(seconds, WARM_UP_SECONDS));
    }
    for (let turn = 1; turn <= repeat; turn++) {
      for (const each of started) {
        const sample = await measure(each, scenario, wrk, seconds);
        console.error(
          `${scenario.name} ${turn}/${repeat} ${each.product}: ${sample.cpuPerRequest.toFixed(1)} µs`,
        );
        samples.push(sample);
      }
    }
  } finally {
    await Promise.all(started.map((each) => each.running.stop()));
    await busy?.stop();
  }
  return samples;
}

async function measureIdle({ products }: Options, backends: Backends, directory: string): Promise<IdleRow[]> {
  const scenario = { ...SCENARIOS[0] as Scenario, name: IDLE };
  const rows: IdleRow[] = [];
  for (const name of products) {
    for (const { running, port, product } of await startAll([name], scenario, backends, directory)) {
      const open: Deno.Conn[] = [];
      try {
        open.push(...await openIdle(port, scenario.path, 1));
        const beforeBytes = memoryBytes(running.pid);
        open.push(...await openIdle(port, scenario.path, IDLE_CONNECTIONS));
        const idleBytes = memoryBytes(running.pid);
        rows.push({
          product,
          beforeBytes,
          idleBytes,
          bytesPerConnection: (idleBytes - beforeBytes) / IDLE_CONNECTIONS,
        });
      } finally {
        open.forEach((connection) => connection.close());
        await running.stop();
      }
    }
  }
  return rows;
}

function idleTable(rows: readonly IdleRow[]): string {
  const megabytes = (bytes: number) => (bytes / 1024 / 1024).toFixed(1);
  return align(
    [
      ["product", "MB at start", `MB with ${IDLE_CONNECTIONS} idle`, "KB each"],
      ...rows.map((row) => [
        row.product,
        megabytes(row.beforeBytes),
        megabytes(row.idleBytes),
        (row.bytesPerConnection / 1024).toFixed(1),
      ]),
    ],
    1,
  );
}

async function main(options: Options): Promise<number> {
  await installTools(["haproxy", "nginx", "wrk", "h2load", "openssl", "curl"]);
  const wrk = requireTool("wrk");
  if ("skip" in wrk) throw new Error(wrk.skip);
  const chosen = (name: string) => options.only.length === 0 || options.only.includes(name);
  const directory = await Deno.makeTempDir({ prefix: "tandem-bench-" });
  const backends = await startBackends(directory);
  try {
    const samples: Sample[] = [];
    for (const scenario of SCENARIOS.filter(({ name }) => chosen(name))) {
      samples.push(...await measureScenario(scenario, options, backends, wrk.path, directory));
    }
    const idle = chosen(IDLE) ? await measureIdle(options, backends, directory) : [];
    const rows = summarize(samples);
    if (options.json) console.log(JSON.stringify({ rows, samples, idle }, null, 2));
    else {console.log(
        [rows.length > 0 ? table(rows) : "", idle.length > 0 ? idleTable(idle) : ""].join("\n\n").trim(),
      );}
    return rows.some((row) => row.errors > 0) ? 1 : 0;
  } finally {
    await backends.stop();
    await Deno.remove(directory, { recursive: true });
  }
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
