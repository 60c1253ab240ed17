/** A program under test: its lines on stderr, its admin socket, its end. Everything is awaited by event, not by time. */
import { askAdmin } from "../../mod/runtime/admin_socket_io.ts";

/** Only so that a test that would hang forever fails instead. */
const PATIENCE_MS = 30_000;

export interface KeeperStatus {
  pid: number;
  generation: number | null;
  refused: { problems: string[] } | null;
  reloading: boolean;
  upgrading: boolean;
  balancer: {
    state: string;
    pid: number | null;
    restarts: number;
    lastDeath: string | null;
    badLines: number;
    pools: Record<string, { healthy: number; servers: number }>;
  };
}

export class Program implements AsyncDisposable {
  readonly child: Deno.ChildProcess;
  readonly lines: string[] = [];
  readonly socket: string;
  #reading: Promise<void>;
  #ended = false;
  #wake = Promise.withResolvers<void>();

  /**
   * Deno (or another `program`) with `args`; `through`: a program and arguments that end in running what follows them
   * in its place.
   */
  constructor(
    args: readonly string[],
    options: {
      socket: string;
      env?: Record<string, string>;
      through?: readonly string[];
      program?: string;
    },
  ) {
    this.socket = options.socket;
    const [command, ...rest] = [...options.through ?? [], options.program ?? Deno.execPath(), ...args];
    this.child = new Deno.Command(command!, {
      args: rest,
      env: { NO_COLOR: "1", ...options.env },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#reading = this.#read();
  }

  get pid(): number {
    return this.child.pid;
  }

  kill(signal: Deno.Signal): void {
    this.child.kill(signal);
  }

  /** The exit code. */
  async ended(): Promise<number> {
    const { code } = await this.child.status;
    await this.#reading;
    return code;
  }

  /** The first line that has `words`, now or later, from `after` on. */
  async line(words: string, after = 0): Promise<string> {
    let patient = true;
    const timer = setTimeout(() => {
      patient = false;
      this.#wake.resolve();
    }, PATIENCE_MS);
    try {
      while (true) {
        const found = this.lines.slice(after).find((line) => line.includes(words));
        if (found !== undefined) return found;
        if (this.#ended || !patient) {
          throw new Error(`No line with "${words}" ${patient ? "before the end" : "in time"}:\n${this.text}`);
        }
        await this.#wake.promise;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  get text(): string {
    return this.lines.join("\n");
  }

  async status(): Promise<KeeperStatus> {
    return await askAdmin(this.socket, "/status", 10_000) as KeeperStatus;
  }

  /** The status once `wanted` holds of it. */
  async until(wanted: (status: KeeperStatus) => boolean): Promise<KeeperStatus> {
    const giveUpAt = performance.now() + PATIENCE_MS;
    while (true) {
      // Before it has started there is no socket.
      const status = await this.status().catch(() => null);
      if (status !== null && wanted(status)) return status;
      if (this.#ended || performance.now() > giveUpAt) {
        throw new Error(`Never so: ${JSON.stringify(status)}\n${this.text}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Ends whatever still runs, its child too, and the program that has taken over from it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { pid, balancer } = this.#ended
      ? { pid: null, balancer: null }
      : await this.status().catch(() => ({ pid: null, balancer: null }));
    for (const each of [this.pid, pid, balancer?.pid ?? null]) {
      try {
        if (each !== null) Deno.kill(each, "SIGKILL");
      } catch {
        // Gone already.
      }
    }
    await this.ended();
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const chunk of this.child.stderr.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      this.lines.push(...lines);
      this.#wake.resolve();
      this.#wake = Promise.withResolvers<void>();
    }
    this.#ended = true;
    this.#wake.resolve();
  }
}

/** True while a process of this number exists (and is not a zombie). */
export async function alive(pid: number): Promise<boolean> {
  try {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
    return !stat.slice(stat.lastIndexOf(")")).startsWith(") Z");
  } catch {
    return false;
  }
}

export async function untilGone(pid: number): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  while (await alive(pid)) {
    if (performance.now() > giveUpAt) throw new Error(`Process ${pid} is still there`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
