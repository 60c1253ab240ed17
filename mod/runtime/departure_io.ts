/**
 * How a node that stops gives its addresses away: each instance keeps them until another node has them, so that no
 * request falls between, but not for ever.
 */
import type { Runner } from "../../vrrp/runner_io.ts";

/** Another node that is ready takes over in one interval; it gets a few. */
const PATIENCE_INTERVALS = 4;

export class Departure {
  #waiting: (() => void)[] = [];

  /** Hands over to a node that is ready, and waits until `hurry`, or long enough. */
  async of(runner: Runner): Promise<void> {
    runner.input({ kind: "handOver", reason: "this node stops" });
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, PATIENCE_INTERVALS * runner.settings.intervalMs);
    this.#waiting.push(resolve);
    await promise;
    clearTimeout(timer);
  }

  /** Nothing is to be waited for any more. */
  hurry(): void {
    for (const done of this.#waiting.splice(0)) done();
  }
}
