/**
 * Keeps virtual routers out of the election for a while after the start of the node: for switches whose ports forward
 * late, behind which a node hears nobody and would take what others have.
 */
import type { Input } from "../../vrrp/events.ts";

const STARTUP = "startup delay";

export class StartupDelay {
  readonly #startedAt: number;
  readonly #timers: ReturnType<typeof setTimeout>[] = [];
  /** From the start of the node, in milliseconds. */
  delayMs = 0;

  /** `startedAt`: of the node, by the clock that never jumps. */
  constructor(startedAt: number) {
    this.#startedAt = startedAt;
  }

  /** Gives it a fault for what is left of the delay. */
  hold(router: { input(input: Input): void }): void {
    const leftMs = this.delayMs - (performance.now() - this.#startedAt);
    if (leftMs <= 0) return;
    const reason = `takes part ${this.delayMs} ms after the start of this node`;
    router.input({ kind: "hardFault", what: STARTUP, reason });
    this.#timers.push(setTimeout(() => router.input({ kind: "faultCleared", what: STARTUP }), leftMs));
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}
