/**
 * The data workers: started, given snapshots, watched, replaced when they throw or hang, drained at the end.
 *
 * A snapshot counts as applied when every worker said so. A worker that dies meanwhile gets a successor with the
 * same snapshot; one that dies of it again and again is the snapshot's fault, and that is its error. What a dead
 * worker held is given back before its successor starts, since both have the same number.
 */
import type { SharedMemory } from "../base/shared_memory.ts";
import type { Purge } from "../cache/store.ts";
import type { Snapshot } from "../config/snapshot.ts";
import type { Log } from "../observe/log.ts";
import { newTicketKey, newTicketKeys } from "../net/tls_engine_io.ts";
import { TICKET_TURN_MS, turned } from "../net/ticket_keys.ts";
import type { WorkerStatus } from "../observe/status.ts";
import { Backoff } from "./backoff.ts";
import { PULSE_MS, PulseWatch } from "./pulse.ts";
import type { BreakerState } from "../base/breaker.ts";
import { Purges } from "./purges.ts";
import type { TlsTrouble } from "../proxy/environment.ts";
import { NO_TABLES, type Tables } from "./tables.ts";
import type { FromWorker, ToWorker } from "./worker_link.ts";

/** What is logged of a breaker, and why it is so. */
const BREAKER_REASONS: Record<BreakerState, string> = {
  open: "too many attempts have failed: its servers get nothing for now",
  halfOpen: "a few requests get through, to see whether it still fails",
  closed: "the last few were answered well: all get through again",
};

/** Deaths of one worker during one snapshot that condemn the snapshot. */
const FATAL_DEATHS = 2;
/** A terminated thread may run on for an instant, up to its next return to V8. */
const TERMINATE_MS = 100;
/** After the drain's deadline a worker has this long to say that it is done. */
const DRAINED_GRACE_MS = 500;

export interface CrewOptions {
  /** Entry file of a worker. */
  readonly entry: URL;
  readonly count: number;
  readonly memory: SharedMemory;
  readonly log: Log;
  /** A batch of the access log, in order for each worker; `done` once it is written or given up. */
  readonly onLog: (batch: Uint8Array<ArrayBuffer>, done: () => void) => void;
  /** A batch of spans; `lost`: since the last one, for want of room. */
  readonly onSpans?: (batch: Uint8Array<ArrayBuffer>, lost: number) => void;
  /** A server was reached by a worker and no TLS came of it. */
  readonly onTlsFailure?: (trouble: TlsTrouble) => void;
  /** Gives back what a dead worker held in shared memory. */
  readonly reclaim: (worker: number) => void;
  /**
   * A worker is stuck in a loop. The runtime cannot end such a thread, which would keep its listening sockets and
   * what it holds: the process must end.
   */
  readonly onHung: (worker: number) => void;
}

interface Member {
  readonly number: number;
  readonly backoff: Backoff;
  thread: Worker | null;
  restart: ReturnType<typeof setTimeout> | undefined;
  state: "starting" | "ready" | "restarting" | "draining" | "drained";
  /** Of the state, milliseconds since the epoch. */
  since: number;
  applied: number;
  deaths: number;
  logDropped: number;
  spansDropped: number;
}

interface Pending {
  readonly snapshot: Snapshot;
  readonly errors: string[];
  readonly resolve: (result: { errors: string[] }) => void;
}

/** Of its own, so that what a worker gives up is gone in that worker alone; what is not named here it never has. */
const WORKER_PERMISSIONS = {
  net: "inherit",
  read: "inherit",
  env: "inherit",
  sys: "inherit",
  ffi: "inherit",
} as const;

export class Crew {
  /** Workers that were replaced since the start. */
  replaced = 0;
  #options: CrewOptions;
  #pulse: SharedArrayBuffer;
  readonly #ticketKeys = newTicketKeys();
  #turning: ReturnType<typeof setInterval> | undefined;
  #beats: Int32Array;
  #watch = new PulseWatch();
  #members: Member[];
  #snapshot: Extract<ToWorker, { kind: "snapshot" }> | null = null;
  #pending: Pending | null = null;
  readonly #purges = new Purges();
  #looking: ReturnType<typeof setInterval> | undefined;
  #draining = false;
  /** By workers that are no more. */
  #logDroppedBefore = 0;
  #onDrained = Promise.withResolvers<void>();

  constructor(options: CrewOptions) {
    this.#options = options;
    this.#pulse = new SharedArrayBuffer(options.count * Int32Array.BYTES_PER_ELEMENT);
    this.#beats = new Int32Array(this.#pulse);
    this.#members = Array.from({ length: options.count }, (_, number) => ({
      number,
      backoff: new Backoff(),
      thread: null,
      restart: undefined,
      state: "starting",
      since: Date.now(),
      applied: -1,
      deaths: 0,
      logDropped: 0,
      spansDropped: 0,
    }));
  }

  status(): WorkerStatus[] {
    return this.#members.map(({ number, state, since }) => ({ index: number, state, since }));
  }

  /** Lines of the access log that workers had to give up since the start. */
  get logDropped(): number {
    return this.#members.reduce((sum, { logDropped }) => sum + logDropped, this.#logDroppedBefore);
  }

  /** Starts every worker; they wait for their first snapshot. */
  start(): void {
    for (const member of this.#members) this.#start(member);
    this.#looking = setInterval(() => {
      for (const member of this.#members) {
        if (member.thread === null) continue;
        if (this.#watch.look(member.number, Atomics.load(this.#beats, member.number))) {
          this.#options.onHung(member.number);
        }
      }
    }, PULSE_MS);
    this.#turning = setInterval(() => this.turnTicketKeys(), TICKET_TURN_MS);
  }

  /** Every worker seals its tickets with another key from now on, and opens those of the last one still. */
  turnTicketKeys(): void {
    const keys = this.#ticketKeys;
    keys.ring = turned(keys.ring, newTicketKey());
    for (const member of this.#members) this.#post(member, { kind: "ticketKeys", ring: keys.ring });
  }

  /**
   * Hands a snapshot to all. Resolves when every worker has applied it, with what went wrong; then the workers
   * may differ, and the caller hands out the snapshot before it again. One at a time.
   */
  apply(snapshot: Snapshot, tables: Tables = NO_TABLES): Promise<{ errors: string[] }> {
    if (this.#pending !== null) throw new Error("Cannot apply a snapshot while another is being applied");
    const { promise, resolve } = Promise.withResolvers<{ errors: string[] }>();
    this.#snapshot = { kind: "snapshot", snapshot, tables };
    this.#pending = { snapshot, errors: [], resolve };
    for (const member of this.#members) {
      member.deaths = 0;
      this.#post(member, this.#snapshot);
    }
    return promise;
  }

  /** Has every worker forget stored answers; resolves with how many those were. */
  purge(purge: Purge): Promise<number> {
    const members = this.#members.filter(({ thread }) => thread !== null);
    const { id, over } = this.#purges.begin(members.map(({ number }) => number));
    for (const member of members) this.#post(member, { kind: "purge", id, purge });
    return over;
  }

  /** Every worker stops accepting and finishes what it has; resolves when all are done or the deadline is over. */
  async drain(deadlineMs: number): Promise<void> {
    this.#draining = true;
    for (const member of this.#members) {
      if (member.thread === null) this.#isDrained(member);
      else {
        this.#become(member, "draining");
        this.#post(member, { kind: "drain", deadlineMs });
      }
    }
    const timer = setTimeout(() => this.#onDrained.resolve(), deadlineMs + DRAINED_GRACE_MS);
    await this.#onDrained.promise;
    clearTimeout(timer);
  }

  /** Ends every worker at once. */
  close(): void {
    clearInterval(this.#looking);
    clearInterval(this.#turning);
    for (const member of this.#members) {
      clearTimeout(member.restart);
      member.thread?.terminate();
      member.thread = null;
    }
  }

  #start(member: Member): void {
    const thread = new Worker(this.#options.entry.href, {
      type: "module",
      name: `data ${member.number}`,
      deno: { permissions: WORKER_PERMISSIONS },
    });
    member.thread = thread;
    member.applied = -1;
    this.#become(member, "starting");
    member.backoff.started(performance.now());
    this.#watch.reset(member.number, Atomics.load(this.#beats, member.number));
    thread.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (member.thread === thread) this.#onMessage(member, data);
    };
    thread.onerror = (event) => {
      // It could not even start (code that does not load). Unprevented, the error would end the control thread.
      event.preventDefault();
      if (member.thread === thread) this.#died(member, `it threw: ${event.message}`);
    };
    const { memory } = this.#options;
    this.#post(member, {
      kind: "init",
      worker: member.number,
      memory,
      pulse: this.#pulse,
      ticketKeys: this.#ticketKeys.ring,
    });
    if (this.#snapshot !== null) this.#post(member, this.#snapshot);
  }

  #post(member: Member, message: ToWorker): void {
    member.thread?.postMessage(message);
  }

  #onMessage(member: Member, message: FromWorker): void {
    switch (message.kind) {
      case "applied":
        return this.#onApplied(member, message.generation, message.errors);
      case "purged":
        return this.#purges.answered(message.id, member.number, message.count);
      case "drained":
        return this.#isDrained(member);
      case "error":
        return this.#options.log.error(message.message, { worker: member.number });
      case "tlsFailure":
        return this.#options.onTlsFailure?.(message.trouble);
      case "breaker":
        return this.#options.log.warning("the breaker of a pool has changed", {
          pool: message.pool,
          reason: BREAKER_REASONS[message.state],
        });
      case "refused":
        return this.#options.log.info("a TLS handshake failed", {
          listener: message.listener,
          client: message.client,
          reason: message.reason,
        });
      case "fatal":
        return this.#died(member, `it threw: ${message.reason}`);
      case "log":
        member.logDropped = message.dropped;
        return this.#options.onLog(message.bytes, () => this.#post(member, { kind: "logWritten" }));
      case "spans":
        this.#options.onSpans?.(message.bytes, message.dropped - member.spansDropped);
        member.spansDropped = message.dropped;
        return this.#post(member, { kind: "spansTaken" });
    }
  }

  #onApplied(member: Member, generation: number, errors: readonly string[]): void {
    member.applied = generation;
    if (member.state === "starting") this.#become(member, "ready");
    const pending = this.#pending;
    if (pending === null || pending.snapshot.generation !== generation) {
      for (const error of errors) this.#options.log.error(error, { worker: member.number, generation });
      return;
    }
    for (const error of errors) if (!pending.errors.includes(error)) pending.errors.push(error);
    if (this.#members.every(({ applied }) => applied === generation)) this.#settle(pending);
  }

  #settle(pending: Pending): void {
    this.#pending = null;
    pending.resolve({ errors: pending.errors });
  }

  #died(member: Member, reason: string): void {
    this.#purges.gone(member.number);
    member.thread?.terminate();
    member.thread = null;
    this.#logDroppedBefore += member.logDropped;
    member.logDropped = member.spansDropped = 0;
    this.#become(member, "restarting");
    this.#options.log.error("a data worker ended and its connections with it", {
      worker: member.number,
      reason,
    });
    if (this.#draining) {
      this.#options.reclaim(member.number);
      return this.#isDrained(member);
    }
    this.replaced++;
    member.deaths++;
    const waitMs = Math.max(TERMINATE_MS, member.backoff.died(performance.now()));
    member.restart = setTimeout(() => {
      this.#options.reclaim(member.number);
      this.#start(member);
    }, waitMs);
    const pending = this.#pending;
    if (pending !== null && member.deaths >= FATAL_DEATHS) {
      pending.errors.push(`data worker ${member.number} ended ${member.deaths} times: ${reason}`);
      this.#settle(pending);
    }
  }

  #isDrained(member: Member): void {
    clearTimeout(member.restart);
    this.#become(member, "drained");
    if (this.#members.every(({ state }) => state === "drained")) this.#onDrained.resolve();
  }

  #become(member: Member, state: Member["state"]): void {
    if (member.state === state) return;
    member.state = state;
    member.since = Date.now();
  }
}
