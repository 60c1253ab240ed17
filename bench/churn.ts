/**
 * The churn benchmark: a million requests over 200,000 connections must leave memory and open files flat.
 *
 * Exit code 1 when the resident memory grew by more than 5 % over the second half, when files were left open, or when
 * a request failed.
 */
import { parseArgs } from "node:util";
import { installTools } from "../tests/lab/tools.ts";
import { startBackends } from "./backends_io.ts";
import { churn, type ChurnResult } from "./churn_io.ts";
import { PRODUCTS, startProduct } from "./products_io.ts";
import { type Scenario, SCENARIOS } from "./scenarios.ts";

const MAX_MEMORY_GROWTH = 0.05;
const USAGE = `deno task bench:churn [options]
  --requests N      in all (1000000)
  --per N           requests on each connection (5)
  --concurrency N   connections at the same time (64)
  --product NAME    ${PRODUCTS.join(", ")} (tandem)
  --json            print the result as JSON`;

function verdicts(result: ChurnResult, concurrency: number): [text: string, good: boolean][] {
  const percent = (result.memoryGrowth * 100).toFixed(1);
  const megabytes = (bytes: number | undefined) => ((bytes ?? NaN) / 1024 / 1024).toFixed(1);
  const memory = `${megabytes(result.memory[0])} MB at first, ${megabytes(result.memory.at(-1))} MB at last`;
  return [
    [`${result.failed} of ${result.requests} requests failed`, result.failed === 0],
    [
      `memory grew by ${percent} % over the second half (${memory})`,
      result.memoryGrowth <= MAX_MEMORY_GROWTH,
    ],
    [
      `${result.filesAtHalf} files open at half, ${result.filesAtEnd} at the end`,
      // Idle connections to the servers come and go between the two counts: at most one for each client.
      result.filesAtEnd <= result.filesAtHalf + concurrency,
    ],
  ];
}

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      requests: { type: "string", default: "1000000" },
      per: { type: "string", default: "5" },
      concurrency: { type: "string", default: "64" },
      product: { type: "string", default: "tandem" },
      json: { type: "boolean", default: false },
    },
  });
  const [requests, requestsPerConnection, concurrency] = [values.requests, values.per, values.concurrency]
    .map(Number);
  const product = PRODUCTS.find((name) => name === values.product);
  if (product === undefined || !requests || !requestsPerConnection || !concurrency) {
    throw new Error("wrong option");
  }

  await installTools(["nginx", product].filter((name) => name !== "tandem"));
  const directory = await Deno.makeTempDir({ prefix: "tandem-churn-" });
  const backends = await startBackends(directory);
  try {
    const started = await startProduct(product, SCENARIOS[0] as Scenario, backends, directory);
    try {
      const result = await churn(started, { requests, requestsPerConnection, concurrency });
      if (values.json) console.log(JSON.stringify(result, null, 2));
      const judged = verdicts(result, concurrency);
      if (!values.json) {
        for (const [text, good] of judged) console.log(`${good ? "good" : "BAD "}  ${text}`);
      }
      console.error(`${result.connections} connections in ${result.seconds.toFixed(1)} s`);
      return judged.every(([, good]) => good) ? 0 : 1;
    } finally {
      await started.running.stop();
    }
  } finally {
    await backends.stop();
    await Deno.remove(directory, { recursive: true });
  }
}

if (Deno.args.includes("--help")) console.log(USAGE);
else {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    console.error(`Cannot run the churn benchmark: ${(error as Error).message}\n\n${USAGE}`);
    Deno.exit(2);
  }
}
