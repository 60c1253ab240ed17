/** A world for the monitor in simulated time: probes are answered by a table of servers, timers by a clock that jumps. */
import { assertLessOrEqual } from "../assert.ts";
import type { PassiveSnapshot, PoolSnapshot, ServerSnapshot } from "../../mod/config/snapshot.ts";
import type { HealthTransition } from "../../mod/health/server_watch.ts";
import { HealthMonitor } from "../../mod/health/monitor_io.ts";
import type { PassiveCounts } from "../../mod/health/passive.ts";
import { CHECK_TYPES } from "../../mod/health/kinds.ts";
import type { Probe } from "../../mod/health/probe_io.ts";
import type { ProbeTable } from "../../mod/health/probes_io.ts";
import { checkOf } from "./check_of.ts";

export const EPOCH = 1_700_000_000_000;
const CHECK = checkOf({ fastInterval: "500ms" });
export const PASSIVE: PassiveSnapshot = {
  failures: 3,
  errorsInRow: 0,
  serverErrors: 0,
  minRequests: 10,
  windowMs: 10_000,
  ejectForMs: 5000,
  latencyFactor: 0,
  latencyMarginMs: 0,
  maxEjected: 0.5,
};

export function server(slot: number, some: Partial<ServerSnapshot> = {}): ServerSnapshot {
  const name = `s${slot}`;
  return {
    name,
    host: `10.0.0.${slot}`,
    port: 80,
    weight: 1,
    maxConnections: 0,
    backup: false,
    slowStartMs: 0,
    slot,
    ...some,
  };
}

export function pool(servers: ServerSnapshot[], some: Partial<PoolSnapshot> = {}): PoolSnapshot {
  return {
    name: "app",
    row: 0,
    balance: "roundRobin",
    hashOn: { kind: "sourceIp", name: "" },
    hashMethod: "ring",
    servers,
    check: CHECK,
    passive: null,
    retry: { attempts: 2, on: [], budget: 0.2 },
    timeouts: { connectMs: 1000, responseMs: 1000, idleMs: 1000 },
    queue: { size: 0, timeoutMs: 0 },
    whenAllDown: "fail",
    ...some,
  };
}

/** Every kind of check is probed alike. */
export function allProbes(probe: Probe): ProbeTable {
  return Object.fromEntries([...CHECK_TYPES, "agent"].map((type) => [type, probe])) as ProbeTable;
}

/** A world of servers that answer as told, with a clock that jumps from timer to timer. */
export class World {
  now = 0;
  dead = new Set<string>();
  /** Servers whose probe is answered only when it is aborted. */
  silent = new Set<string>();
  probed: { server: string; at: number; port: number }[] = [];
  aborted: string[] = [];
  words: string[] = [];
  admins = new Map<number, string>();
  limits = new Map<number, number>();
  /** What was told of agents. */
  agents: string[] = [];
  /** What the agent of a server says; without: it cannot be reached. */
  says = new Map<string, string>();
  transitions: HealthTransition[] = [];
  counts = new Map<number, PassiveCounts>();
  #timers = new Map<number, { at: number; call: () => void }>();
  #nextTimer = 1;
  readonly monitor: HealthMonitor;

  constructor() {
    const probe: Probe = (target, signal) => {
      if (target.check.type !== "agent") return this.#answer(target.server, target.port, signal);
      const line = this.says.get(target.server);
      return Promise.resolve({ ok: line !== undefined, reason: line ?? "connection refused", latencyMs: 1 });
    };
    this.monitor = new HealthMonitor({
      probes: allProbes(probe),
      sink: {
        setUp: (slot, up) => this.words.push(`${slot} ${up ? "up" : "down"}`),
        setEjected: (slot, ejected) => this.words.push(`${slot} ${ejected ? "ejected" : "in"}`),
        setWeight: (slot, weight) => this.words.push(`${slot} weight ${weight}`),
        setAdmin: (slot, admin) => this.admins.set(slot, admin),
        setLimit: (slot, limit) => this.limits.set(slot, limit),
        onAgent: (pool, server, words) => this.agents.push(`${pool}/${server} ${words}`),
        onTransition: (transition) => this.transitions.push(transition),
      },
      readCounters: (slot) => this.counts.get(slot) ?? none(),
      now: () => this.now,
      wallNow: () => EPOCH + this.now,
      random: () => 0.5,
      after: (ms, call) => {
        const timer = this.#nextTimer++;
        this.#timers.set(timer, { at: this.now + ms, call });
        return () => void this.#timers.delete(timer);
      },
    });
  }

  get timers(): number {
    return this.#timers.size;
  }

  async #answer(name: string, port: number, signal: AbortSignal) {
    this.probed.push({ server: name, at: this.now, port });
    if (this.silent.has(name)) {
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      this.aborted.push(name);
    }
    const ok = !this.dead.has(name);
    return { ok, reason: ok ? "status 200" : "connection refused", latencyMs: 7 };
  }

  /** Lets `ms` pass, timer by timer, with every probe answered in between. */
  async pass(ms: number): Promise<void> {
    const end = this.now + ms;
    for (let steps = 0;; steps++) {
      assertLessOrEqual(steps, 100_000, "the monitor spins");
      await settle();
      const next = [...this.#timers].sort(([, a], [, b]) => a.at - b.at)[0];
      if (next === undefined || next[1].at > end) break;
      this.#timers.delete(next[0]);
      this.now = next[1].at;
      next[1].call();
    }
    this.now = end;
  }

  state(name: string): string {
    return this.monitor.status().find((one) => one.server === name)?.state ?? "absent";
  }

  fail(slot: number, connectErrors: number): void {
    const before = this.counts.get(slot) ?? none();
    this.counts.set(slot, { ...before, connectErrors: before.connectErrors + connectErrors });
  }
}

export function none(): PassiveCounts {
  return {
    answers: 0,
    connectErrors: 0,
    emptyReplies: 0,
    responseTimeouts: 0,
    badResponses: 0,
    responses5xx: 0,
    firstByteMs: 0,
  };
}

/** Runs what promises have queued; a few turns, as a probe's end passes through several. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
