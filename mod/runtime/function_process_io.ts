/**
 * One process of a function as the keeper has it: started, started anew with back-off when it ends, told to end.
 *
 * Its word is taken for its port, which it says before any of the function's code is loaded; everything else that it
 * says is for the log.
 */
import { PerSecond } from "../base/per_second.ts";
import type { FunctionConfig } from "../config/function_schema.ts";
import type { BuiltFunction } from "../functions/bundled.ts";
import { HEAP_FULL, type Level, readLogLine, readPortLine, READY, type Start } from "../functions/start.ts";
import type { Log } from "../observe/log.ts";
import { Backoff } from "./backoff.ts";
import { readTextLines } from "./text_lines_io.ts";
import type { Turns } from "./turns_io.ts";

/** From the start until the code is loaded: it is perhaps compiled, on a busy machine. */
const LOAD_MS = 15_000;

/** Beyond the time for what is under way; then it is killed. */
const END_GRACE_MS = 3000;

/** What bypasses the console is bounded here: each line costs the keeper some time. */
const LINES_A_SECOND = 250;

export interface FunctionProcessOptions {
  readonly built: BuiltFunction;
  /** Starting takes the machine, so that they are not started all at once. */
  readonly turns: Turns;
  /** Longest time for what is under way when it ends. */
  readonly drainMs: number;
  /** From 1. */
  readonly number: number;
  readonly start: (settings: FunctionConfig) => Deno.ChildProcess;
  /** It has another port, or none. */
  readonly onChange: () => void;
  readonly log: Log;
}

export class FunctionProcess {
  /** Where it serves; null: it does not. */
  port: number | null = null;
  /** Starts after the first. */
  restarts = 0;
  /** Why it last ended; null: it has not. */
  lastDeath: string | null = null;
  /** Resolves when the code is loaded (null), or with why it was not, the first time. */
  readonly settled: Promise<string | null>;
  readonly #settle: (problem: string | null) => void;
  readonly #options: FunctionProcessOptions;
  readonly #about: { readonly function: string; readonly process: number };
  readonly #backoff = new Backoff();
  #turnOver = () => {};
  #child: Deno.ChildProcess | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>> | null = null;
  /** The last that it said as an error, which is why it ends when it does so by itself. */
  #said = "";
  #heapIsFull = false;
  #killedFor = "";
  readonly #lines = new PerSecond();
  #ending = false;
  #ended: Promise<void> = Promise.resolve();

  constructor(options: FunctionProcessOptions) {
    this.#options = options;
    this.#about = { function: options.built.settings.name, process: options.number };
    const { promise, resolve } = Promise.withResolvers<string | null>();
    this.settled = promise;
    this.#settle = resolve;
    this.#queue();
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Lets it finish what is under way, if that takes no longer than `withinMs`. Resolves when it has ended. */
  end(withinMs: number): Promise<void> {
    if (!this.#ending) {
      this.#ending = true;
      this.#settle("it is no longer wanted");
      this.#turnOver();
      const { pid } = this;
      if (pid !== null) this.#options.log.info("function ends after what it has", { ...this.#about, pid });
      this.#input?.close().catch(() => {});
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.kill(), withinMs + END_GRACE_MS);
    return this.#ended.finally(() => clearTimeout(this.#timer));
  }

  /** Ends it at once. */
  kill(): void {
    try {
      this.#child?.kill("SIGKILL");
    } catch {
      // It ended in this very moment.
    }
  }

  #queue(): void {
    this.#turnOver = this.#options.turns.take((over) => {
      this.#turnOver = over;
      this.#start();
    });
  }

  #start(): void {
    const { built: { settings, code }, drainMs, start, log } = this.#options;
    this.#said = this.#killedFor = "";
    this.#heapIsFull = false;
    this.#backoff.started(performance.now());
    let child: Deno.ChildProcess;
    try {
      child = this.#child = start(settings);
    } catch (error) {
      return this.#onEnd(`it cannot be started: ${(error as Error).message}`);
    }
    const { name, timeout: timeoutMs, memory, env, net, next } = settings;
    const line: Start = { name, code, timeoutMs, drainMs, memory, env, net, next };
    this.#input = child.stdin.getWriter();
    this.#input.write(new TextEncoder().encode(JSON.stringify(line) + "\n")).catch(() => {});
    log.info("function started", { ...this.#about, pid: child.pid });
    this.#timer = setTimeout(() => {
      this.#killedFor = `it was not loaded within ${LOAD_MS} ms`;
      this.kill();
    }, LOAD_MS);
    this.#ended = this.#watch(child);
  }

  async #watch(child: Deno.ChildProcess): Promise<void> {
    let port: number | null = null;
    const output = readTextLines(child.stdout, (line) => {
      if (port === null) port = readPortLine(line);
      else if (line === READY && this.port === null) this.#onReady(port);
      else this.#log(line, "info");
    });
    const errors = readTextLines(child.stderr, (line) => this.#log(line, "debug"));
    const { code, signal } = await child.status;
    this.port = null;
    await Promise.all([output, errors]);
    const why = this.#heapIsFull
      ? "it took all the memory that it may"
      : signal === null
      ? this.#said || `exit ${code}`
      : `killed by ${signal}`;
    this.#onEnd(this.#killedFor || why);
  }

  #onReady(port: number): void {
    if (this.#ending) return;
    clearTimeout(this.#timer);
    this.#turnOver();
    this.port = port;
    this.#settle(null);
    this.#options.onChange();
  }

  #onEnd(reason: string): void {
    const { log, onChange } = this.#options;
    this.#child = this.#input = null;
    this.#turnOver();
    if (this.#ending) return;
    clearTimeout(this.#timer);
    this.lastDeath = reason;
    this.#settle(reason);
    const waitMs = this.#backoff.died(performance.now());
    log.error("a function's process has ended, and is started anew", { ...this.#about, reason, waitMs });
    onChange();
    this.#timer = setTimeout(() => {
      this.restarts++;
      this.#queue();
    }, waitMs);
  }

  /** `otherwise`: the level of what is written past the console. */
  #log(line: string, otherwise: Level): void {
    const { level, text } = readLogLine(line) ?? { level: otherwise, text: line };
    if (level === "error") this.#said = text;
    if (text.includes(HEAP_FULL)) this.#heapIsFull = true;
    const lines = this.#lines.count(performance.now());
    if (lines <= LINES_A_SECOND) this.#options.log[level](text, this.#about);
    else if (lines === LINES_A_SECOND + 1) {
      this.#options.log.warning(
        "a function says too much: the rest of this second is not logged",
        this.#about,
      );
    }
  }
}
