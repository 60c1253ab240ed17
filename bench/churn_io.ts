/**
 * Churn: many short-lived connections, a few requests on each, and what they leave behind in the product.
 *
 * Memory is sampled with every hundredth of the requests; open files are counted when everything is quiet, before the
 * second half and after it. Knows nothing of the products but their process.
 */
import { readAnswer } from "./idle_io.ts";
import { memoryBytes, openFiles } from "./process_io.ts";
import { growth } from "./report.ts";

/** Time for the last connections to be noticed as closed on the product's side. */
const SETTLE_MS = 1_000;
const SAMPLES = 100;

export interface Churn {
  readonly requests: number;
  readonly requestsPerConnection: number;
  /** Connections at the same time. */
  readonly concurrency: number;
}

export interface ChurnResult {
  readonly requests: number;
  readonly connections: number;
  readonly failed: number;
  readonly seconds: number;
  /** Memory after each hundredth of the requests, in bytes. */
  readonly memory: readonly number[];
  /** Growth of memory over the second half: 0.05 is 5 %. */
  readonly memoryGrowth: number;
  readonly filesAtHalf: number;
  readonly filesAtEnd: number;
}

/** What is measured: its first process, and where the load goes. */
export interface Subject {
  readonly running: { readonly pid: number };
  readonly port: number;
}

/** Runs the churn against a product that is already serving. */
export async function churn(
  { running, port }: Subject,
  options: Churn,
  path = "/small",
): Promise<ChurnResult> {
  const { requestsPerConnection, concurrency } = options;
  const connections = Math.ceil(options.requests / requestsPerConnection);
  const request = new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  const memory: number[] = [];
  let [started, finished, failed] = [0, 0, 0];

  const client = async (limit: number) => {
    while (started < limit) {
      started++;
      failed += await oneConnection(port, request, requestsPerConnection);
      finished++;
      if (finished % Math.max(1, Math.floor(connections / SAMPLES)) === 0) {
        memory.push(memoryBytes(running.pid));
      }
    }
  };
  const until = async (limit: number) => {
    await Promise.all(Array.from({ length: concurrency }, () => client(limit)));
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    return openFiles(running.pid);
  };

  const begun = performance.now();
  const filesAtHalf = await until(Math.floor(connections / 2));
  const filesAtEnd = await until(connections);
  return {
    requests: connections * requestsPerConnection,
    connections,
    failed,
    seconds: (performance.now() - begun) / 1000,
    memory,
    memoryGrowth: growth(memory),
    filesAtHalf,
    filesAtEnd,
  };
}

/** Number of requests of one connection that were not answered with 200. */
async function oneConnection(port: number, request: Uint8Array, requests: number): Promise<number> {
  let answered = 0;
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay(true);
    while (answered < requests) {
      await connection.write(request);
      if (await readAnswer(connection) !== 200) break;
      answered++;
    }
  } catch {
    // Counted below: what was not answered has failed.
  }
  return requests - answered;
}
