/**
 * Rise and fall: turns the results of one server's probes into up and down, with hysteresis.
 *
 * A server starts `unknown` and takes traffic (as HAProxy's do): the first result alone decides, so that a dead
 * server is out after one probe and a good one never waits. From then on it takes `fall` failures in a row to go
 * down and `rise` successes in a row to come up. It knows one server; not when probes run, nor what they do.
 */

/** `unknown`: not probed yet, takes traffic. */
export type ProbedState = "unknown" | "up" | "down";

export interface ProbeResult {
  readonly ok: boolean;
  /** What happened, for a person: "status 200", "connection refused". */
  readonly reason: string;
  /** From the start of the probe to its result. */
  readonly latencyMs: number;
}

export interface RiseFallOptions {
  /** Successes in a row that bring a down server up, at least 1. */
  readonly rise: number;
  /** Failures in a row that take an up server down, at least 1. */
  readonly fall: number;
}

export interface ProbedChange {
  readonly from: ProbedState;
  readonly to: ProbedState;
  readonly reason: string;
}

export class RiseFall {
  #options: RiseFallOptions;
  #state: ProbedState;
  #streak = 0;
  #reason = "not probed yet";

  /** `state`: what it is taken for before the first result. */
  constructor(options: RiseFallOptions, state: ProbedState = "unknown") {
    this.#options = options;
    this.#state = state;
  }

  get state(): ProbedState {
    return this.#state;
  }

  /** Why the state is what it is; while it is about to change, how far that has come. */
  get reason(): string {
    return this.#reason;
  }

  /** On its way down or up: results in a row speak against the state, not yet enough of them. */
  get changing(): boolean {
    return this.#streak > 0;
  }

  /** Goes on from a result of before. */
  resume(state: "up" | "down", reason: string): void {
    this.#state = state;
    this.#reason = reason;
  }

  /** Takes new thresholds; the state and the results counted so far stay. */
  configure(options: RiseFallOptions): void {
    this.#options = options;
  }

  /**
   * Counts one result; returns the change of state it caused, or null. `desperate`: there is no other server, so that
   * the first success is believed.
   */
  handle(result: Pick<ProbeResult, "ok" | "reason">, desperate = false): ProbedChange | null {
    const to: ProbedState = result.ok ? "up" : "down";
    if (this.#state === to) return this.#confirm(result.reason);
    this.#streak++;
    const first = this.#state === "unknown" || (result.ok && desperate);
    const needed = first ? 1 : result.ok ? this.#options.rise : this.#options.fall;
    const outcome = result.ok ? "succeeded" : "failed";
    this.#reason = this.#state === "unknown"
      ? `the first probe ${outcome}: ${result.reason}`
      : `${this.#streak} of ${needed} ${needed === 1 ? "probe" : "probes"} ${outcome}: ${result.reason}`;
    if (this.#streak < needed) return null;
    const change = { from: this.#state, to, reason: this.#reason };
    this.#state = to;
    this.#streak = 0;
    return change;
  }

  #confirm(reason: string): null {
    this.#streak = 0;
    this.#reason = this.#state === "up" ? `probe succeeded: ${reason}` : `probe failed: ${reason}`;
    return null;
  }
}
