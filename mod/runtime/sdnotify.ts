/**
 * What the service manager is told of this node, and when: sd_notify(3)'s words, from facts that the keeper has anyway.
 *
 * It compares what it is told with what it said last, so telling it too often is harmless; the watchdog is fed by the
 * heartbeats of the balancer, so that a keeper that stands still and a balancer that hangs both starve it. Pure.
 */

export interface ServiceFacts {
  /** The configuration in force; null: none yet. */
  readonly generation: number | null;
  /** A configuration is being read, or is on its way to the balancer. */
  readonly reloading: boolean;
  /** The last reload was refused. */
  readonly refused: boolean;
  readonly leaving: "no" | "handing over" | "draining";
  /** How long the end may take. */
  readonly leaveMs: number;
  readonly balancer: { readonly state: string; readonly lastDeath: string | null };
  /** The balancer was heard of just now. */
  readonly well: boolean;
  readonly instances: readonly { readonly name: string; readonly state: string }[];
}

type Phase = "starting" | "serving" | "reloading" | "stopping";

/** A heartbeat that comes later than half of the watchdog's time comes too late: so one earlier is taken. */
const EARLY_MS = 250;

export class ServiceVoice {
  readonly #watchdogMs: number | null;
  readonly #monotonicUsec: () => bigint;
  #phase: Phase = "starting";
  #status = "";
  #aliveAt = -Infinity;

  /** `watchdogMs`: how long the manager waits for a sign of life; null: it does not. */
  constructor(watchdogMs: number | null, monotonicUsec: () => bigint) {
    this.#watchdogMs = watchdogMs;
    this.#monotonicUsec = monotonicUsec;
  }

  /** What is to be said now, as one message; null: nothing new. */
  tell(facts: ServiceFacts, now: number): string | null {
    const lines: string[] = [];
    const phase = phaseOf(facts);
    if (phase !== this.#phase) lines.push(...this.#entering(phase, facts));
    this.#phase = phase;
    const status = statusOf(phase, facts);
    if (status !== this.#status) lines.push(`STATUS=${status}`);
    this.#status = status;
    if (facts.well && this.#watchdogMs !== null && now + EARLY_MS >= this.#aliveAt + this.#watchdogMs / 2) {
      this.#aliveAt = now;
      lines.push("WATCHDOG=1");
    }
    return lines.length === 0 ? null : lines.join("\n");
  }

  #entering(phase: Phase, { leaveMs }: ServiceFacts): string[] {
    switch (phase) {
      case "starting":
        return [];
      case "serving":
        return ["READY=1"];
      case "reloading":
        return ["RELOADING=1", `MONOTONIC_USEC=${this.#monotonicUsec()}`];
      case "stopping":
        return ["STOPPING=1", `EXTEND_TIMEOUT_USEC=${leaveMs * 1000}`];
    }
  }
}

function phaseOf({ leaving, generation, reloading }: ServiceFacts): Phase {
  if (leaving !== "no") return "stopping";
  if (generation === null) return "starting";
  return reloading ? "reloading" : "serving";
}

/** One line for `systemctl status`. */
function statusOf(phase: Phase, facts: ServiceFacts): string {
  const { leaving, generation, refused, balancer, instances } = facts;
  if (phase === "stopping") return leaving;
  if (phase === "starting") return "starting";
  const parts = [`configuration ${generation}`, ...instances.map(({ name, state }) => `${name} ${state}`)];
  if (balancer.state !== "running") {
    const why = balancer.lastDeath === null ? "" : ` (${balancer.lastDeath})`;
    parts.unshift(`the balancer is ${balancer.state}${why}`);
  }
  if (phase === "reloading") parts.unshift("reloading");
  if (refused) parts.push("the last reload was refused: see the log");
  return parts.join(", ").replace(/\s+/g, " ");
}

/** How often a sign of life is wanted, by the manager's environment; null: not by this process. */
export function watchdogMsOf(env: (name: string) => string | undefined, pid: number): number | null {
  const usec = Number(env("WATCHDOG_USEC"));
  const meant = env("WATCHDOG_PID");
  if (!Number.isSafeInteger(usec) || usec <= 0) return null;
  return meant === undefined || Number(meant) === pid ? usec / 1000 : null;
}
