/**
 * The board: all servers of all pools, which probes are due, and what results and counters mean for each server.
 *
 * A machine without I/O: `update` takes a snapshot's pools, `due` gives the probes to start, `finished` takes
 * their results, `tick` reads counters and goes on with slow starts, `deadline` says when to call again. What it
 * decides goes to the sink. It must not know timers, connections, shared memory or the configuration's syntax.
 */
import type { CheckSnapshot, PassiveSnapshot, PoolSnapshot, ServerSnapshot } from "../config/snapshot.ts";
import { AgentBoard } from "./agent_board.ts";
import { PassiveChecks, type PassiveCounts } from "./passive.ts";
import type { RememberedServer } from "./memory.ts";
import { type ProbeResult, RiseFall } from "./rise_fall.ts";
import { ProbeSchedule } from "./schedule.ts";
import { type HealthSink, type ServerState, ServerWatch } from "./server_watch.ts";

/** How often counters are read and slow starts go on. */
export const TICK_MS = 100;

/**
 * One probe to run, for every server that asks the same of the same address; `pool` and `server` are those of the first.
 * The object itself is its identity: its result comes back with it.
 */
export interface DueProbe {
  readonly pool: string;
  readonly server: string;
  /** All that it is for. */
  readonly slots: number[];
  /** IP address. */
  readonly host: string;
  /** The check's own port if it has one, else the server's. */
  readonly port: number;
  readonly check: CheckSnapshot;
  /** The name that the server's certificate is for; absent: its address. */
  readonly tlsName?: string;
}

export interface BoardEnv {
  readonly sink: HealthSink;
  /** Running totals of a server over all workers. */
  readCounters(slot: number): PassiveCounts;
  /** Milliseconds since the epoch, for people. */
  wallNow(): number;
  /** From 0 up to, not including, 1. */
  random(): number;
}

export interface ServerHealth {
  readonly pool: string;
  readonly server: string;
  readonly host: string;
  readonly port: number;
  readonly slot: number;
  readonly state: ServerState;
  /** When this state began, milliseconds since the epoch. */
  readonly since: number;
  /** Why, and while a change is under way how far it has come. */
  readonly reason: string;
  readonly weight256: number;
  /** Duration of the last probe; null before the first and without a check. */
  readonly lastProbeMs: number | null;
  /** Time until the next probe; null while one is under way and without a check. */
  readonly nextProbeInMs: number | null;
}

interface Row {
  readonly identity: string;
  readonly watch: ServerWatch;
  /** What is asked of whom, and how often: rows with the same share their probes. Null: nothing is asked. */
  question: string | null;
  /** The probe under way. */
  probe: DueProbe | null;
  lastProbeMs: number | null;
  counts: PassiveCounts;
}

interface Pool {
  check: CheckSnapshot | null;
  passive: PassiveChecks | null;
  slots: readonly number[];
}

export class HealthBoard {
  #env: BoardEnv;
  #schedule: ProbeSchedule;
  #pools = new Map<string, Pool>();
  #rows = new Map<number, Row>();
  #tickAt = Infinity;
  readonly #agents: AgentBoard;
  /** Slots by what is asked. */
  #asked = new Map<string, number[]>();

  constructor(env: BoardEnv) {
    this.#env = env;
    this.#schedule = new ProbeSchedule(env.random);
    this.#agents = new AgentBoard(env.random);
  }

  /**
   * Takes the pools of a new snapshot. Servers of the same pool, name, address and slot keep their state; new
   * ones start `unknown`. Probes that are under way may no longer be wanted afterwards.
   */
  update(pools: readonly PoolSnapshot[], now: number): void {
    const present = new Set(pools.flatMap((pool) => pool.servers.map((server) => identify(pool, server))));
    for (const [slot, row] of this.#rows) {
      if (present.has(row.identity)) continue;
      this.#rows.delete(slot);
      this.#schedule.remove(slot);
    }
    const before = this.#pools;
    this.#pools = new Map();
    for (const pool of pools) {
      const known = before.get(pool.name) ?? { check: null, passive: null, slots: [] };
      this.#updatePool(pool, known, now);
    }
    this.#groupQuestions(pools);
    this.#agents.update(pools, now);
    for (const slot of this.#rows.keys()) this.#heedAgent(slot, now);
    this.#tickAt = now;
    this.tick(now);
  }

  /** For `recall` in another process. */
  remember(now: number): RememberedServer[] {
    return [...this.#rows.values()].map((row) => {
      const { watch: { pool, server, probed, ejected, since }, watch } = row;
      const { name, host, port, slot } = server;
      const ejection = this.#poolOf(row).passive?.ejection(slot, now) ?? null;
      return {
        ...{ pool, server: name, host, port, since },
        probed: probed === null || probed.state === "unknown"
          ? null
          : { state: probed.state, reason: probed.reason },
        ejected: ejection === null ? null : { reason: ejected ?? "", ...ejection },
        slowForMs: watch.slowForMs(now),
        agent: this.#agents.wish(slot),
      };
    });
  }

  /** Goes on from what another process knew of these servers. They are probed as soon as new ones are. */
  recall(servers: readonly RememberedServer[], now: number): void {
    const known = new Map(servers.map((one) => [namely(one.pool, one.server, one.host, one.port), one]));
    for (const row of this.#rows.values()) {
      const { pool, server: { name, host, port, slot }, probed } = row.watch;
      const before = known.get(namely(pool, name, host, port));
      if (before === undefined) continue;
      if (before.probed !== null) probed?.resume(before.probed.state, before.probed.reason);
      const ejected = before.ejected !== null &&
          this.#poolOf(row).passive?.resume(slot, before.ejected, now) === true
        ? before.ejected.reason
        : null;
      this.#agents.recall(slot, before.agent);
      row.watch.resume({ ...before, agent: this.#agents.wish(slot), ejected }, now);
      this.#tickSoonIfNeeded(row, now);
    }
  }

  /** The earliest time at which `due` or `tick` has something to do, or Infinity. */
  deadline(): number {
    return Math.min(this.#schedule.deadline(), this.#agents.deadline(), this.#tickAt);
  }

  /** Probes to start now; each counts as under way until `finished`. */
  due(now: number): DueProbe[] {
    const probes: DueProbe[] = this.#agents.due(now);
    for (const slot of this.#schedule.due(now)) {
      const row = this.#rows.get(slot);
      const check = row === undefined ? null : this.#poolOf(row).check;
      // It may have got a probe just now, together with another.
      if (row === undefined || check === null || row.probe !== null) continue;
      const asking = this.#asking(row);
      const running = asking.find(({ probe }) => probe !== null)?.probe;
      const probe = running ?? probeOf(row, check);
      for (const one of running === undefined ? asking : [row]) {
        one.probe = probe;
        probe.slots.push(one.watch.server.slot);
        this.#schedule.started(one.watch.server.slot, now);
      }
      if (running === undefined) probes.push(probe);
    }
    return probes;
  }

  /** The rows that ask the same as one of them. */
  #asking({ question }: Row): Row[] {
    return [...this.#asked.get(question!) ?? []].flatMap((slot) => this.#rows.get(slot) ?? []);
  }

  /** False when its servers or their check are gone or changed since the probe began: its result does not count. */
  wanted(probe: DueProbe): boolean {
    return this.#rowsOf(probe).length > 0 || this.#agents.wanted(probe);
  }

  /** Takes the result of a probe. */
  finished(probe: DueProbe, result: ProbeResult, now: number): void {
    if (this.#agents.wanted(probe)) {
      this.#agents.finished(probe, result, now);
      for (const slot of probe.slots) this.#heedAgent(slot, now);
    }
    for (const row of this.#rowsOf(probe)) {
      const { watch, watch: { pool, probed, server: { slot } } } = row;
      row.probe = null;
      row.lastProbeMs = result.latencyMs;
      const change = probed?.handle(result, this.#isDown(pool)) ?? null;
      if (change !== null) watch.probedChanged(change.reason, now);
      this.#schedule.finished(slot, this.#intervalOf(row, probe.check), now);
      this.#tickSoonIfNeeded(row, now);
    }
  }

  #heedAgent(slot: number, now: number): void {
    const row = this.#rows.get(slot);
    if (row === undefined) return;
    row.watch.heed(this.#agents.wish(slot), now);
    this.#tickSoonIfNeeded(row, now);
  }

  /** The servers that a probe under way is for. */
  #rowsOf(probe: DueProbe): Row[] {
    return probe.slots.flatMap((slot) => this.#rows.get(slot) ?? []).filter((row) => row.probe === probe);
  }

  /** No server of the pool takes traffic. */
  #isDown(pool: string): boolean {
    const slots = this.#pools.get(pool)?.slots ?? [];
    return slots.every((slot) => !this.#isUp(slot) || this.#rows.get(slot)?.watch.state === "ejected");
  }

  /** As far as its check, its agent and the operator are concerned. */
  #isUp(slot: number): boolean {
    const watch = this.#rows.get(slot)?.watch;
    return watch !== undefined && watch.admin === "ready" && watch.isUp;
  }

  /** Reads the counters, lets servers back, goes on with slow starts. Calling too often is harmless. */
  tick(now: number): void {
    if (now < this.#tickAt) return;
    const isUp = (slot: number) => this.#isUp(slot);
    this.#tickAt = Infinity;
    for (const { passive, slots } of this.#pools.values()) {
      if (passive === null) continue;
      this.#tickAt = now + TICK_MS;
      for (const slot of slots) this.#observe(passive, slot, isUp, now);
      for (const { slot, reason } of passive.ejectSlow(isUp, now)) {
        this.#rows.get(slot)?.watch.eject(reason, now);
      }
      for (const { slot, reason } of passive.release(isUp, now)) {
        this.#rows.get(slot)?.watch.readmit(reason, now);
      }
    }
    for (const row of this.#rows.values()) {
      if (row.watch.slowStarting) row.watch.weigh(now);
      this.#tickSoonIfNeeded(row, now);
    }
  }

  /** Every server, in the order of the configuration. */
  status(now: number): ServerHealth[] {
    const rows = [...this.#pools.values()].flatMap(({ slots }) => slots.map((slot) => this.#rows.get(slot)));
    return rows.flatMap((row) => row === undefined ? [] : [this.#describe(row, now)]);
  }

  #updatePool(next: PoolSnapshot, pool: Pool, now: number): void {
    this.#pools.set(next.name, pool);
    const { check: checkBefore, passive: passiveBefore, slots: slotsBefore } = pool;
    pool.check = next.check;
    pool.slots = next.servers.map((server) => server.slot);
    const unprobed: number[] = [];
    for (const server of next.servers) {
      const row = this.#rows.get(server.slot);
      const check = checkOf(next.check, server);
      if (row === undefined) {
        // A server that joins a pool at work is as cold as one that comes up.
        this.#add(next, server, slotsBefore.length > 0, now);
        if (check !== null) unprobed.push(server.slot);
        continue;
      }
      row.watch.configure(server, now);
      if (this.#configureCheck(row, checkBefore, check, now)) unprobed.push(server.slot);
    }
    pool.passive = this.#configurePassive(pool, passiveBefore, next.passive, now);
    const intervalMs = next.check?.intervalMs ?? 0;
    this.#schedule.add(unprobed.map((slot) => ({ slot, intervalMs })), now);
  }

  #groupQuestions(pools: readonly PoolSnapshot[]): void {
    const numbers = new Map<string, number>();
    this.#asked = new Map();
    for (const pool of pools) {
      const text = JSON.stringify({ ...pool.check, rise: 0, fall: 0 });
      // A check may hold certificates: its number stands for it.
      const number = numbers.get(text) ?? numbers.size;
      numbers.set(text, number);
      for (const server of pool.servers) {
        const row = this.#rows.get(server.slot)!;
        row.question = checkOf(pool.check, server) === null ? null : questionOf(number, pool.check!, server);
        if (row.question === null) continue;
        const slots = this.#asked.get(row.question) ?? [];
        this.#asked.set(row.question, slots);
        slots.push(server.slot);
      }
    }
  }

  #add(pool: PoolSnapshot, server: ServerSnapshot, cold: boolean, now: number): void {
    const { sink, wallNow, readCounters } = this.#env;
    const check = checkOf(pool.check, server);
    const probed = check === null ? null : new RiseFall(check);
    const watch = new ServerWatch(pool.name, server, probed, sink, wallNow);
    const counts = readCounters(server.slot);
    this.#rows.set(server.slot, {
      identity: identify(pool, server),
      watch,
      question: null,
      probe: null,
      lastProbeMs: null,
      counts,
    });
    watch.introduce(cold, now);
  }

  /** Applies a check that is new, changed or gone; true when the server must be scheduled anew. */
  #configureCheck(row: Row, before: CheckSnapshot | null, next: CheckSnapshot | null, now: number): boolean {
    const { watch } = row;
    if (next === null) {
      if (watch.probed === null) return false;
      row.probe = null;
      row.lastProbeMs = null;
      this.#schedule.remove(watch.server.slot);
      watch.check(null, watch.server.state === "maint" ? "in maintenance" : "the check was removed", now);
      return false;
    }
    if (watch.probed === null) {
      watch.check(new RiseFall(next), "is checked from now on", now);
      return true;
    }
    watch.probed.configure(next);
    if (before !== null && !sameQuestion(before, next)) {
      // The answer that counts is the next one.
      row.probe = null;
      return true;
    }
    this.#schedule.configure(watch.server.slot, this.#intervalOf(row, next), now);
    return false;
  }

  #configurePassive(
    pool: Pool,
    before: PassiveChecks | null,
    next: PassiveSnapshot | null,
    now: number,
  ): PassiveChecks | null {
    if (next !== null) {
      const passive = before ?? new PassiveChecks(next);
      passive.configure(next, pool.slots);
      return passive;
    }
    for (const slot of pool.slots) {
      if (before?.ejected(slot)) this.#rows.get(slot)?.watch.readmit("the passive check was removed", now);
    }
    return null;
  }

  #observe(passive: PassiveChecks, slot: number, isUp: (slot: number) => boolean, now: number): void {
    const row = this.#rows.get(slot);
    if (row === undefined) return;
    const counts = this.#env.readCounters(slot);
    const change = passive.observe(slot, difference(counts, row.counts), isUp, now);
    row.counts = counts;
    if (change !== null) row.watch.eject(change.reason, now);
  }

  /** The settings may have changed while the probe ran, so those of the pool go first. */
  #intervalOf(row: Row, check: CheckSnapshot): number {
    const { intervalMs, fastIntervalMs } = this.#poolOf(row).check ?? check;
    return row.watch.probed?.changing ? fastIntervalMs : intervalMs;
  }

  #poolOf(row: Row): Pool {
    const pool = this.#pools.get(row.watch.pool);
    if (pool === undefined) throw new Error(`Cannot find pool ${row.watch.pool} of a watched server`);
    return pool;
  }

  #tickSoonIfNeeded(row: Row, now: number): void {
    if (row.watch.slowStarting) this.#tickAt = Math.min(this.#tickAt, now + TICK_MS);
  }

  #describe(row: Row, now: number): ServerHealth {
    const { watch, lastProbeMs } = row;
    const { name, host, port, slot } = watch.server;
    const { pool, state, since, weight256 } = watch;
    const trouble = this.#agents.trouble(slot);
    const reason = trouble === "" ? watch.reason : `${watch.reason}; the agent is not heard: ${trouble}`;
    const dueAt = this.#schedule.dueAt(slot);
    const nextProbeInMs = dueAt === null ? null : Math.max(0, dueAt - now);
    return {
      pool,
      server: name,
      host,
      port,
      slot,
      state,
      since,
      reason,
      weight256,
      lastProbeMs,
      nextProbeInMs,
    };
  }
}

function probeOf({ watch: { pool, server } }: Row, check: CheckSnapshot): DueProbe {
  const { name, host, port, tlsName } = server;
  return {
    ...{ pool, server: name, slots: [], host, port: check.port || port, check },
    ...(tlsName === undefined ? {} : { tlsName }),
  };
}

/** `number` stands for the check. A program is told of which pool and server it is run for, so that it is shared by none. */
function questionOf(number: number, { type, port }: CheckSnapshot, server: ServerSnapshot): string {
  const whom = type === "exec"
    ? server.slot
    : `${server.host} ${port || server.port} ${server.tlsName ?? ""}`;
  return `${number} ${whom}`;
}

/** A server in maintenance is not probed. */
function checkOf(check: CheckSnapshot | null, { state }: ServerSnapshot): CheckSnapshot | null {
  return state === "maint" ? null : check;
}

/** A server's identity beyond this process. */
function namely(pool: string, server: string, host: string, port: number): string {
  return JSON.stringify([pool, server, host, port]);
}

function identify(pool: PoolSnapshot, server: ServerSnapshot): string {
  return JSON.stringify([pool.name, server.name, server.host, server.port, server.slot]);
}

/** True when both checks ask the same; how often, and how many answers it takes, may differ. */
function sameQuestion(a: CheckSnapshot, b: CheckSnapshot): boolean {
  const question = (check: CheckSnapshot) => {
    const { intervalMs: _interval, fastIntervalMs: _fast, rise: _rise, fall: _fall, ...question } = check;
    return JSON.stringify(question);
  };
  return question(a) === question(b);
}

/** Never negative: totals that went back (a block of counters used anew) count as unchanged. */
function difference(now: PassiveCounts, before: PassiveCounts): PassiveCounts {
  const grown = (key: keyof PassiveCounts) => Math.max(0, now[key] - before[key]);
  return {
    answers: grown("answers"),
    connectErrors: grown("connectErrors"),
    emptyReplies: grown("emptyReplies"),
    responseTimeouts: grown("responseTimeouts"),
    badResponses: grown("badResponses"),
    responses5xx: grown("responses5xx"),
    firstByteMs: grown("firstByteMs"),
  };
}
