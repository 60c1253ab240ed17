/**
 * The exec check: runs a configured command and takes exit status 0 for healthy. The keeper calls it.
 *
 * No shell, an absolute path, nothing of our own environment, a time limit after which the process is killed, and
 * output of which only the beginning is kept. How a process is started is a parameter, since all starting is
 * done in one place of the product. It knows no configuration: the caller looked the command up.
 */
import { describeFailure } from "./probe_io.ts";
import type { ProbeResult } from "./rise_fall.ts";

/** The part of `Deno.ChildProcess` that is needed, with both outputs piped. */
export interface ExecProcess {
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  readonly status: Promise<{ readonly code: number; readonly signal: string | null }>;
  /** Ends the process at once (SIGKILL). May throw when it has ended already. */
  kill(): void;
}

/** Starts a process with exactly this environment, no standard input, and both outputs piped. */
export type ExecSpawn = (
  path: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
) => ExecProcess;

export interface ExecCheck {
  /** Absolute path and arguments. */
  readonly command: readonly string[];
  readonly timeoutMs: number;
  readonly pool: string;
  readonly server: string;
  /** IP address and port that the check is about. */
  readonly host: string;
  readonly port: number;
}

/** Bytes of each output that are kept for the reason; the rest is read and dropped, so that nobody blocks. */
export const EXEC_OUTPUT_BYTES = 4096;
/** Characters of the first line of output that go into the reason, and of any reason. */
const OUTPUT_CHARS = 200;
const REASON_CHARS = 1000;
/** A fixed search path, because most commands are scripts. Debian's default without /usr/local. */
const EXEC_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";
/** Outputs may stay open in grandchildren after the process ended; so long is waited for them. */
const OUTPUT_GRACE_MS = 50;

/** Runs the command of a check once. Never rejects; aborting `signal` kills the process. */
export function runExecCheck(
  check: ExecCheck,
  spawn: ExecSpawn,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const { command, timeoutMs } = check;
  return runCommand({ command, timeoutMs, env: environment(check) }, spawn, signal);
}

export interface TimedCommand {
  /** Absolute path and arguments. */
  readonly command: readonly string[];
  readonly timeoutMs: number;
  /** Besides a fixed PATH. */
  readonly env: Readonly<Record<string, string>>;
}

/** Runs any command once, in the same way: exit status 0 is good. */
export async function runCommand(
  { command, timeoutMs, env }: TimedCommand,
  spawn: ExecSpawn,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const startedAt = performance.now();
  const finish = (ok: boolean, reason: string): ProbeResult => ({
    ok,
    // A path that cannot be started may be of any length, and the link between the processes takes no more.
    reason: reason.slice(0, REASON_CHARS),
    latencyMs: performance.now() - startedAt,
  });
  const [path, ...args] = command;
  if (path === undefined || !path.startsWith("/")) {
    return finish(false, `the command must be an absolute path: it is "${path ?? ""}"`);
  }
  if (signal.aborted) return finish(false, "the probe was cancelled");
  let process: ExecProcess;
  try {
    process = spawn(path, args, { PATH: EXEC_PATH, ...env });
  } catch (error) {
    return finish(false, `cannot start ${path}: ${describeFailure(error)}`);
  }
  const run = await watch(process, timeoutMs, signal);
  if (run.timedOut) return finish(false, `no exit within ${timeoutMs} ms, killed`);
  if (signal.aborted) return finish(false, "the probe was cancelled");
  const outcome = run.signal === null ? `exit ${run.code}` : `killed by ${run.signal}`;
  return finish(
    run.code === 0 && run.signal === null,
    run.words === "" ? outcome : `${outcome}: ${run.words}`,
  );
}

function environment(check: ExecCheck): Record<string, string> {
  return {
    TANDEM_POOL: check.pool,
    TANDEM_SERVER: check.server,
    TANDEM_ADDRESS: check.host,
    TANDEM_PORT: String(check.port),
  };
}

interface Run {
  readonly timedOut: boolean;
  readonly code: number;
  readonly signal: string | null;
  readonly words: string;
}

/** Waits for the process to end, within the limit, with its outputs drained. */
async function watch(process: ExecProcess, timeoutMs: number, signal: AbortSignal): Promise<Run> {
  let timedOut = false;
  const kill = () => {
    try {
      process.kill();
    } catch {
      // It ended in this very moment.
    }
  };
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, timeoutMs);
  signal.addEventListener("abort", kill, { once: true });
  const errors = new Output(process.stderr);
  const output = new Output(process.stdout);
  try {
    const { code, signal: killedBy } = await process.status;
    await drained([errors, output]);
    return { timedOut, code, signal: killedBy, words: firstLine(errors.text) || firstLine(output.text) };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", kill);
  }
}

/** Keeps the beginning of a stream and drops the rest. */
class Output {
  #reader: ReadableStreamDefaultReader<Uint8Array>;
  #kept = new Uint8Array(EXEC_OUTPUT_BYTES);
  #size = 0;
  readonly done: Promise<void>;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
    this.done = this.#drain();
  }

  get text(): string {
    return new TextDecoder().decode(this.#kept.subarray(0, this.#size));
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
    await this.done;
  }

  async #drain(): Promise<void> {
    try {
      while (true) {
        const { done, value } = await this.#reader.read();
        if (done) return;
        const part = value.subarray(0, this.#kept.length - this.#size);
        this.#kept.set(part, this.#size);
        this.#size += part.length;
      }
    } catch {
      // A broken pipe ends the output; the exit status decides.
    }
  }
}

async function drained(outputs: readonly Output[]): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const grace = new Promise<void>((resolve) => timer = setTimeout(resolve, OUTPUT_GRACE_MS));
  await Promise.race([Promise.all(outputs.map((output) => output.done)), grace]);
  clearTimeout(timer);
  await Promise.all(outputs.map((output) => output.cancel()));
}

/** The first line that says something, bounded, with control characters made harmless for a log. */
function firstLine(text: string): string {
  const line = text.split("\n").find((candidate) => candidate.trim() !== "") ?? "";
  return line.trim().slice(0, OUTPUT_CHARS).replace(/\p{Cc}/gu, "?");
}
