/**
 * Runs the programs that a configuration wants told of transitions: one at a time, in order, each within a time-out.
 * What fails is logged and never holds up the election. It must not know what a transition is.
 */
import { type ExecSpawn, runCommand } from "../health/exec_io.ts";
import type { Log } from "../observe/log.ts";

export interface Transition {
  readonly instance: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

const TIMEOUT_MS = 10_000;
/** Programs that wait; a node that flaps faster than they run loses the oldest. */
const MAX_WAITING = 64;

export class Transitions {
  readonly #spawn: ExecSpawn;
  readonly #log: Log;
  readonly #waiting: { readonly program: string; readonly transition: Transition }[] = [];
  readonly #abort = new AbortController();
  #running: Promise<void> | null = null;

  constructor(spawn: ExecSpawn, log: Log) {
    this.#spawn = spawn;
    this.#log = log;
  }

  tell(programs: readonly string[], transition: Transition): void {
    for (const program of programs) this.#waiting.push({ program, transition });
    while (this.#waiting.length > MAX_WAITING) {
      const { program, transition: { instance, to } } = this.#waiting.shift()!;
      this.#log.warning("a program is not told of a transition, as too many wait", { program, instance, to });
    }
    this.#running ??= this.#run();
  }

  /** Waits until everything is told, for so long at most. */
  async close(withinMs: number): Promise<void> {
    const timer = setTimeout(() => this.#abort.abort(), withinMs);
    await this.#running;
    clearTimeout(timer);
  }

  async #run(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const { program, transition } = next;
      const { instance, from, to, reason } = transition;
      const env = {
        TANDEM_INSTANCE: instance,
        TANDEM_FROM: from,
        TANDEM_TO: to,
        TANDEM_REASON: reason,
      };
      const command = [program, instance, from, to, reason];
      const told = await runCommand({ command, timeoutMs: TIMEOUT_MS, env }, this.#spawn, this.#abort.signal);
      if (!told.ok) {
        this.#log.warning("a program told of a transition failed", {
          program,
          instance,
          to,
          reason: told.reason,
        });
      }
    }
    this.#running = null;
  }
}
