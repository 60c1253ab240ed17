/**
 * Load from wrk, and from h2load for HTTP/2: one thread unless more are wanted, a number of keep-alive connections, for
 * some seconds. And from openssl: one connection after the other, to see what a handshake costs.
 */
import { ROOT } from "../tests/style/tree.ts";

export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  /** Bytes to POST with every request; 0: GET. */
  readonly upload: number;
  /** The client accepts gzip. */
  readonly gzip: boolean;
  readonly threads?: number;
}

/** Latencies and the duration are microseconds. `errors` are failed connections and answers other than 2xx and 3xx. */
export interface LoadResult {
  readonly requests: number;
  readonly microseconds: number;
  readonly errors: number;
  readonly p50: number;
  readonly p99: number;
}

/** `through`: a program and arguments that end in running what follows them. */
export async function load(
  wrk: string,
  { url, connections, seconds, upload, gzip, threads = 1 }: Load,
  through: readonly string[] = [],
): Promise<LoadResult> {
  const shape = [
    "--threads",
    `${threads}`,
    "--connections",
    `${connections}`,
    "--duration",
    `${seconds}s`,
    "--timeout",
    "10s",
  ];
  const args = [
    ...shape,
    "--script",
    `${ROOT}/bench/load.lua`,
    url,
    "--",
    `${upload}`,
    ...(gzip ? ["gzip"] : []),
  ];
  const [command, ...rest] = [...through, wrk, ...args];
  const { stdout, stderr } = await new Deno.Command(command!, { args: rest, stdin: "null" }).output();
  const output = new TextDecoder().decode(stdout);
  const result = /^RESULT (.*)$/m.exec(output)?.[1];
  if (result === undefined) {
    throw new Error(`wrk gave no result: ${output}${new TextDecoder().decode(stderr)}`);
  }
  return JSON.parse(result);
}

/** HTTP/2 on connections that stay, with `streams` requests at a time on each; no latencies are told. */
export async function load2(
  h2load: string,
  { url, connections, streams, seconds }: Omit<Load, "upload" | "gzip"> & { readonly streams: number },
): Promise<LoadResult> {
  const shape = ["-t", "1", "-c", `${connections}`, "-m", `${streams}`, "-D", `${seconds}`];
  const { stdout, stderr } = await new Deno.Command(h2load, { args: [...shape, url], stdin: "null" })
    .output();
  const output = new TextDecoder().decode(stdout);
  const [, done, failed, errored] = /(\d+) done, \d+ succeeded, (\d+) failed, (\d+) errored/.exec(output) ??
    [];
  const [, refused, broken] = /^status codes: .* (\d+) 4xx, (\d+) 5xx/m.exec(output) ?? [];
  if (done === undefined || refused === undefined) {
    throw new Error(`h2load gave no result: ${output}${new TextDecoder().decode(stderr)}`);
  }
  const errors = Number(failed) + Number(errored) + Number(refused) + Number(broken);
  return { requests: Number(done), microseconds: seconds * 1_000_000, errors, p50: 0, p99: 0 };
}

/** One connection after the other, each with a handshake, a request and an answer; no latencies are told. */
export async function handshakes(
  openssl: string,
  { port, path, seconds, resumed }: {
    readonly port: number;
    readonly path: string;
    readonly seconds: number;
    readonly resumed: boolean;
  },
): Promise<LoadResult> {
  const args = ["s_time", "-connect", `127.0.0.1:${port}`, "-www", path, "-time", `${seconds}`];
  const { stdout, stderr } = await new Deno.Command(openssl, {
    args: [...args, resumed ? "-reuse" : "-new"],
    stdin: "null",
  }).output();
  const output = new TextDecoder().decode(stdout);
  const [, requests, real] = /^(\d+) connections in (\d+) real seconds/m.exec(output) ?? [];
  if (requests === undefined) {
    throw new Error(`openssl gave no result: ${output}${new TextDecoder().decode(stderr)}`);
  }
  return { requests: Number(requests), microseconds: Number(real) * 1_000_000, errors: 0, p50: 0, p99: 0 };
}
