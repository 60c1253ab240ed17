/** Load from wrk: one thread, a number of keep-alive connections, for some seconds. */
import { ROOT } from "../tests/style/tree.ts";

export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  /** Bytes to POST with every request; 0: GET. */
  readonly upload: number;
}

/** Latencies and the duration are microseconds. `errors` are failed connections and answers other than 2xx and 3xx. */
export interface LoadResult {
  readonly requests: number;
  readonly microseconds: number;
  readonly errors: number;
  readonly p50: number;
  readonly p99: number;
}

export async function load(wrk: string, { url, connections, seconds, upload }: Load): Promise<LoadResult> {
  const shape = [
    "--threads",
    "1",
    "--connections",
    `${connections}`,
    "--duration",
    `${seconds}s`,
    "--timeout",
    "10s",
  ];
  const args = [...shape, "--script", `${ROOT}/bench/load.lua`, url, "--", `${upload}`];
  const { stdout, stderr } = await new Deno.Command(wrk, { args, stdin: "null" }).output();
  const output = new TextDecoder().decode(stdout);
  const result = /^RESULT (.*)$/m.exec(output)?.[1];
  if (result === undefined) {
    throw new Error(`wrk gave no result: ${output}${new TextDecoder().decode(stderr)}`);
  }
  return JSON.parse(result);
}
