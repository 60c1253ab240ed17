/**
 * Passive checks of one pool: ejects servers by what their traffic shows, and lets them back after a time.
 *
 * Works on differences of counters, read every 100 ms or so: failures in a row (a difference that also holds an
 * answer ends the row, since order within it is unknown), the share of 5xx answers in a sliding window, and how late
 * answers begin in it, beside those of the pool's other servers.
 * Each ejection in close succession lasts twice as long. However bad the servers look, at least one that is up
 * stays. It knows no clock and no counters: differences and `now` (milliseconds, monotonic) are parameters.
 */
import type { PassiveSnapshot } from "../config/snapshot.ts";
import { SlidingSums } from "./sliding_sums.ts";

/** What happened at one server: running totals, or the difference of two of them. */
export interface PassiveCounts {
  /** Final answers received (any status from 200); for TCP, connections made. */
  readonly answers: number;
  readonly connectErrors: number;
  readonly emptyReplies: number;
  /** Answers that did not begin in time. */
  readonly responseTimeouts: number;
  /** Answers that could not be read. */
  readonly badResponses: number;
  readonly responses5xx: number;
  /** Sum over answers: from the connection to the first byte, in milliseconds; nothing for TCP. */
  readonly firstByteMs: number;
}

/** One under way. */
export interface Ejection {
  readonly leftMs: number;
  /** How many in close succession, this one included. */
  readonly times: number;
  readonly lengthMs: number;
}

export interface PassiveChange {
  readonly slot: number;
  readonly ejected: boolean;
  readonly reason: string;
}

/** Precedent: Envoy's `max_ejection_time` is 300 s. */
export const MAX_EJECT_MS = 300_000;
/** What is summed over the window. */
const SUMMED = ["answers", "responses5xx", "firstByteMs"] as const;

interface Server {
  failuresInRow: number;
  /** 5xx answers in a row. */
  errorsInRow: number;
  readonly recent: SlidingSums<(typeof SUMMED)[number]>;
  /** When the server comes back; null while it is not ejected. */
  backAt: number | null;
  returnedAt: number;
  /** Ejections in close succession. */
  times: number;
  lastEjectMs: number;
}

export class PassiveChecks {
  #options: PassiveSnapshot;
  #servers = new Map<number, Server>();

  constructor(options: PassiveSnapshot) {
    this.#options = options;
  }

  /** Takes new settings and the slots that belong to the pool now; what is known of the others is forgotten. */
  configure(options: PassiveSnapshot, slots: readonly number[]): void {
    this.#options = options;
    const kept = new Map<number, Server>();
    for (const slot of slots) kept.set(slot, this.#servers.get(slot) ?? newServer());
    this.#servers = kept;
  }

  ejected(slot: number): boolean {
    return this.#servers.get(slot)?.backAt != null;
  }

  /** Of a server that is ejected, what `resume` needs; null: it is not. */
  ejection(slot: number, now: number): Ejection | null {
    const server = this.#servers.get(slot);
    if (server === undefined || server.backAt === null) return null;
    return { leftMs: Math.max(0, server.backAt - now), times: server.times, lengthMs: server.lastEjectMs };
  }

  /** Goes on with an ejection of before; false: the server is not of this pool. */
  resume(slot: number, { leftMs, times, lengthMs }: Ejection, now: number): boolean {
    const server = this.#servers.get(slot);
    if (server === undefined) return false;
    server.backAt = now + leftMs;
    server.times = times;
    server.lastEjectMs = lengthMs;
    return true;
  }

  /**
   * Counts what happened at `slot` since the last call; returns the ejection it caused, or null.
   * `isUp` says which servers are up by their active check: one of those is never ejected if it is the last.
   */
  observe(
    slot: number,
    delta: PassiveCounts,
    isUp: (slot: number) => boolean,
    now: number,
  ): PassiveChange | null {
    const server = this.#servers.get(slot);
    if (server === undefined) return null;
    const { connectErrors, emptyReplies, responseTimeouts, badResponses } = delta;
    const failures = connectErrors + emptyReplies + responseTimeouts + badResponses;
    if (delta.answers > 0) server.failuresInRow = 0;
    else server.failuresInRow += failures;
    if (delta.answers > delta.responses5xx) server.errorsInRow = 0;
    else server.errorsInRow += delta.responses5xx;
    server.recent.add(delta, this.#options.windowMs, now);
    if (server.backAt !== null || failures + delta.responses5xx === 0) return null;
    const cause = this.#causeOf(server, delta);
    if (cause === null || !this.#mayEject(slot, isUp)) return null;
    return this.#eject(slot, server, cause, now);
  }

  /** Ejects who is much slower than the pool's servers mostly are; call once all of them were observed. */
  ejectSlow(isUp: (slot: number) => boolean, now: number): PassiveChange[] {
    const { latencyFactor, latencyMarginMs, minRequests } = this.#options;
    if (latencyFactor === 0) return [];
    const judged = [...this.#servers].flatMap(([slot, server]) => {
      const answers = server.backAt === null ? server.recent.sum("answers") : 0;
      return answers < minRequests ? [] : [{ slot, server, ms: server.recent.sum("firstByteMs") / answers }];
    }).sort((a, b) => b.ms - a.ms);
    // The lower of two in the middle, or the slow one of two servers would never be far above it.
    const median = judged[judged.length >> 1]?.ms ?? 0;
    const longest = Math.max(median * latencyFactor, median + latencyMarginMs);
    return judged.filter(({ ms }) => ms > longest).flatMap(({ slot, server, ms }) => {
      if (!this.#mayEject(slot, isUp)) return [];
      const cause = `answers took ${rounded(ms)} ms on average, those of the pool ${rounded(median)} ms`;
      return [this.#eject(slot, server, cause, now)];
    });
  }

  /** Lets back whose time has come, and everyone when no other server is left; call about as often as `observe`. */
  release(isUp: (slot: number) => boolean, now: number): PassiveChange[] {
    const changes: PassiveChange[] = [];
    let left = false;
    for (const [slot, server] of this.#servers) left ||= server.backAt === null && isUp(slot);
    for (const [slot, server] of this.#servers) {
      if (server.backAt === null) continue;
      if (server.backAt <= now) changes.push(this.#return(slot, server, "its ejection is over", now));
      else if (!left && isUp(slot)) {
        changes.push(this.#return(slot, server, "no other server of the pool is up", now));
      }
    }
    return changes;
  }

  #causeOf(server: Server, delta: PassiveCounts): string | null {
    const { failures, errorsInRow, serverErrors, minRequests, windowMs } = this.#options;
    if (failures > 0 && server.failuresInRow >= failures) {
      return `${server.failuresInRow} failures in a row (${kindOf(delta)})`;
    }
    if (errorsInRow > 0 && server.errorsInRow >= errorsInRow) {
      return `${server.errorsInRow} answers in a row were 5xx`;
    }
    const answers = server.recent.sum("answers");
    const errors = server.recent.sum("responses5xx");
    if (serverErrors > 0 && errors > 0 && answers >= minRequests && errors >= serverErrors * answers) {
      return `${errors} of ${answers} answers within ${windowMs} ms were 5xx`;
    }
    return null;
  }

  #mayEject(slot: number, isUp: (slot: number) => boolean): boolean {
    let out = 0;
    let otherUp = false;
    for (const [other, server] of this.#servers) {
      if (server.backAt !== null) out++;
      else if (other !== slot && isUp(other)) otherUp = true;
    }
    const share = Math.floor(this.#options.maxEjected * this.#servers.size + 1e-9); // 0.1 × 30 is not quite 3
    // Envoy: one server may be ejected whatever the share, or small pools would never profit.
    const limit = this.#options.maxEjected === 0 ? 0 : Math.max(1, share);
    return otherUp && out < limit;
  }

  #eject(slot: number, server: Server, cause: string, now: number): PassiveChange {
    if (now - server.returnedAt > server.lastEjectMs) server.times = 0;
    const longest = Math.max(MAX_EJECT_MS, this.#options.ejectForMs);
    server.lastEjectMs = Math.min(longest, this.#options.ejectForMs * 2 ** Math.min(server.times, 30));
    server.times++;
    server.backAt = now + server.lastEjectMs;
    return { slot, ejected: true, reason: `ejected for ${server.lastEjectMs} ms: ${cause}` };
  }

  /** A server comes back with a clean record, so that what it did before does not eject it again. */
  #return(slot: number, server: Server, cause: string, now: number): PassiveChange {
    server.backAt = null;
    server.returnedAt = now;
    server.failuresInRow = server.errorsInRow = 0;
    server.recent.clear();
    return { slot, ejected: false, reason: `back: ${cause}` };
  }
}

/** The last kind of failure, in words. */
function kindOf({ connectErrors, emptyReplies, responseTimeouts }: PassiveCounts): string {
  if (connectErrors > 0) return "failed connections";
  if (emptyReplies > 0) return "empty replies";
  return responseTimeouts > 0 ? "time-outs" : "malformed answers";
}

/** To tenths. */
function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function newServer(): Server {
  return {
    failuresInRow: 0,
    errorsInRow: 0,
    recent: new SlidingSums(SUMMED),
    backAt: null,
    returnedAt: -Infinity,
    times: 0,
    lastEjectMs: 0,
  };
}
