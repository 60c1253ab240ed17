/**
 * A function as a process: gives up every right, starts the thread that has what the function may, and ends itself when
 * that does nothing but compute or takes too much memory.
 *
 * It runs apart from the balancer, as nothing less keeps its memory, time and faults its own. What it is told and says
 * is `start.ts`. It must not run any of the function's code itself.
 */
import { cString, withLibc } from "../base/libc_io.ts";
import { logLine, portLine, READY, START, type Start } from "./start.ts";
import type { FromThread, ToThread } from "./worker_io.ts";

/** The user of nobody (65534 on every Linux), for one that was started as root. */
const NOBODY = 65534;
/** Traffic goes first where the machine is busy. */
const NICENESS = 5;
const MAX_BEAT_MS = 250;
const LOOK_MS = 100;
/** Beyond the time for a request, so that whoever waits has been told by then that there is no answer. */
const STILL_GRACE_MS = 1000;
/** A look that comes this much too late means that the machine stood still, and proves nothing. */
const LATE_MS = 500;
/** Buffers that are on their way, and what the engine needs to notice that its heap is full. */
const SLACK_BYTES = 64 * 1024 * 1024;
/** After the time for what is under way has passed, one that is to end does not wait longer. */
const END_GRACE_MS = 1000;
/** EX_SOFTWARE of sysexits.h. */
const BROKEN_EXIT = 70;

/** Runs until standard input ends; ends by exiting. `entry`: `worker_io.ts`. */
export async function runFunction(entry: URL): Promise<never> {
  const input = Deno.stdin.readable.getReader();
  // A terminal sends them to the keeper too, which decides.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) Deno.addSignalListener(signal, () => {});
  const start = await readStart(input);
  const root = Deno.uid() === 0;
  for (const name of ["run", "write", "sys"] as const) await Deno.permissions.revoke({ name });
  // Of the calling thread alone, and passed on to those that it starts.
  if ((await Deno.permissions.query({ name: "ffi" })).state === "granted") {
    withLibc((libc) => libc.nice(NICENESS));
  }
  const thread = startThread(entry, start);
  const { port1, port2 } = new MessageChannel();
  const watch = new Watch(start);
  const send = (message: ToThread) => port1.postMessage(message);
  const stopped = Promise.withResolvers<void>();
  const onMessage: { [Kind in FromThread["kind"]]: (message: Extract<FromThread, { kind: Kind }>) => void } =
    {
      listening: ({ port }) => {
        say(portLine(port));
        // Before any of the code is there.
        void giveUpRights(root).then(() => send({ kind: "load", code: start.code }));
      },
      ready: () => say(READY),
      beat: () => watch.beat(),
      failed: () => Deno.exit(BROKEN_EXIT),
      stopped: () => stopped.resolve(),
    };
  port1.onmessage = ({ data }: MessageEvent<FromThread>) => onMessage[data.kind](data as never);
  thread.onerror = (event) => {
    event.preventDefault();
    die(`an error that nobody caught: ${event.message}`);
  };
  thread.postMessage(null, [port2]);
  const { name, next, timeoutMs } = start;
  send({ kind: "begin", name, next, timeoutMs, beatMs: Math.min(MAX_BEAT_MS, Math.ceil(timeoutMs / 4)) });
  await ended(input);
  send({ kind: "stop" });
  setTimeout(() => Deno.exit(0), start.drainMs + END_GRACE_MS);
  await stopped.promise;
  Deno.exit(0);
}

/** What the function may: nothing but these hosts, these variables, and to be asked. */
function startThread(entry: URL, { name, env, net }: Start): Worker {
  return new Worker(entry, {
    type: "module",
    name,
    deno: {
      permissions: {
        env: env.length > 0 ? env : false,
        ffi: false,
        import: false,
        // To listen on a port that the kernel chooses is all that this address allows.
        net: ["127.0.0.1:0", ...net],
        read: false,
        run: false,
        sys: false,
        write: false,
      },
    },
  });
}

/** The thread keeps what it was given; of the process nothing is left. */
async function giveUpRights(root: boolean): Promise<void> {
  if ((await Deno.permissions.query({ name: "ffi" })).state === "granted") {
    withLibc((libc) => {
      const file = libc.open(cString("/proc/self/oom_score_adj"), 1);
      if (file >= 0) {
        libc.write(file, cString("1000"), 4n);
        libc.close(file);
      }
      if (!root) return;
      const failed = libc.setgroups(0n, null) !== 0 || libc.setresgid(NOBODY, NOBODY, NOBODY) !== 0 ||
        libc.setresuid(NOBODY, NOBODY, NOBODY) !== 0;
      if (failed) die("it cannot become a user without rights");
    });
  }
  for (const name of ["ffi", "read", "env", "net", "import"] as const) {
    await Deno.permissions.revoke({ name });
  }
}

/** Ends the process when its thread is not heard of, or when it has grown too much. */
class Watch {
  #heardAt = performance.now();
  #lookedAt = performance.now();
  readonly #start: Start;
  readonly #mostBytes: number;

  constructor(start: Start) {
    this.#start = start;
    this.#mostBytes = Deno.memoryUsage().rss + start.memory + SLACK_BYTES;
    setInterval(() => this.#look(), LOOK_MS);
  }

  beat(): void {
    this.#heardAt = performance.now();
  }

  #look(): void {
    const now = performance.now();
    if (now - this.#lookedAt > LOOK_MS + LATE_MS) this.#heardAt = now;
    this.#lookedAt = now;
    const { timeoutMs, memory } = this.#start;
    if (now - this.#heardAt > timeoutMs + STILL_GRACE_MS) {
      die(`it did nothing but compute for more than ${timeoutMs} ms`);
    }
    if (Deno.memoryUsage().rss > this.#mostBytes) die(`it took more than ${memory} bytes of memory`);
  }
}

type Input = ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

/** The first line, which nothing follows until the end. */
async function readStart(input: Input): Promise<Start> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  do {
    const { value, done } = await input.read();
    if (done) Deno.exit(0);
    parts.push(value);
  } while (parts.at(-1)!.at(-1) !== 0x0a);
  return START.parse(JSON.parse(await new Blob(parts).text()));
}

async function ended(input: Input): Promise<void> {
  while (!(await input.read()).done);
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));
}

function die(reason: string): never {
  Deno.stderr.writeSync(new TextEncoder().encode(logLine("error", reason) + "\n"));
  Deno.exit(BROKEN_EXIT);
}
