/**
 * Runs the commands of pools' exec checks for the balancer, which may start nothing: only those that the keeper's own
 * configuration names, and a bounded number at a time.
 */
import { type ExecCheck, type ExecSpawn, runExecCheck } from "../health/exec_io.ts";
import type { ToKeeper } from "./link.ts";

export type ProbeOrder = Extract<ToKeeper, { kind: "probe" }>;
export type ProbeAnswer = { readonly ok: boolean; readonly reason: string; readonly latencyMs: number };

/** Processes at a time, and orders that wait. */
const MAX_PROBES = 64;

export interface ExecProbesOptions {
  /** A configuration is on offer: a pool that is not known yet may be of it. */
  readonly pending: () => boolean;
  /** The check of a pool of the configuration in force. */
  readonly checkOf: (pool: string) => Pick<ExecCheck, "command" | "timeoutMs"> | undefined;
  readonly spawn: ExecSpawn;
}

export class ExecProbes {
  readonly #options: ExecProbesOptions;
  readonly #ended = new AbortController();
  #early: (() => void)[] = [];
  #running = 0;

  constructor(options: ExecProbesOptions) {
    this.#options = options;
  }

  /** Carries an order out, now or when it is known what is in force; `answer` is called once. */
  async run(order: ProbeOrder, answer: (result: ProbeAnswer) => void): Promise<void> {
    if (this.#options.pending() && this.#early.length < MAX_PROBES) {
      this.#early.push(() => void this.run(order, answer));
      return;
    }
    const check = this.#options.checkOf(order.pool);
    if (check === undefined || this.#running >= MAX_PROBES) {
      const reason = check === undefined ? "the pool has no exec check" : `${MAX_PROBES} checks run already`;
      return answer({ ok: false, reason, latencyMs: 0 });
    }
    const { pool, server, host, port } = order;
    this.#running++;
    answer(
      await runExecCheck({ ...check, pool, server, host, port }, this.#options.spawn, this.#ended.signal),
    );
    this.#running--;
  }

  /** A configuration is in force, or was refused. */
  settled(): void {
    if (this.#options.pending()) return;
    for (const run of this.#early.splice(0)) run();
  }

  /** Ends what runs. */
  close(): void {
    this.#ended.abort();
  }
}
