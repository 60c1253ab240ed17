/**
 * One server as the monitor sees it: its probed state, its ejection, its slow start, the wishes of operator and agent,
 * and what follows from them.
 *
 * It works out the one state that is shown and the effective weight, and tells the sink about every change. It
 * knows no schedule and no counters; the board decides when something happened.
 */
import type { ServerSnapshot } from "../config/snapshot.ts";
import type { AdminState } from "../base/slots.ts";
import { type AgentWish, NO_WISH, wishWords } from "./agent_wish.ts";
import type { RiseFall } from "./rise_fall.ts";
import { slowStartWeight, WEIGHT_UNIT } from "./slow_start.ts";

/** HAProxy: 256, whatever an agent says. */
const MAX_WEIGHT = 256;
const SEVERITY: Readonly<Record<AdminState, number>> = { ready: 0, drain: 1, maint: 2 };

/** `unknown` (not probed yet) and `unchecked` (no check) take traffic like `up`. */
export type ServerState = "unknown" | "up" | "down" | "ejected" | "unchecked";

export interface HealthTransition {
  readonly pool: string;
  readonly server: string;
  readonly from: ServerState;
  readonly to: ServerState;
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Where decisions go. */
export interface HealthSink {
  /** By the active check. */
  setUp(slot: number, up: boolean): void;
  /** By the passive check. */
  setEjected(slot: number, ejected: boolean): void;
  /** As operator and agent want it: whichever lets it have less. */
  setAdmin(slot: number, admin: AdminState): void;
  /** Effective weight in 1/256 of a configured unit. */
  setWeight(slot: number, weight256: number): void;
  /** Most at a time, as the agent wants it; 0: as configured. */
  setLimit(slot: number, limit: number): void;
  onTransition(transition: HealthTransition): void;
  /** An agent wants something else; empty: nothing any more. */
  onAgent(pool: string, server: string, words: string): void;
}

export class ServerWatch {
  readonly pool: string;
  #server: ServerSnapshot;
  #sink: HealthSink;
  #wallNow: () => number;
  #probed: RiseFall | null;
  #ejected: string | null = null;
  #wish: AgentWish = NO_WISH;
  #state: ServerState;
  #since: number;
  /** Start of a slow start under way, by the monotonic clock. */
  #slowSince: number | null = null;
  #weight256 = -1;

  /** `probed` is null for a server without a check; `wallNow` gives milliseconds since the epoch. */
  constructor(
    pool: string,
    server: ServerSnapshot,
    probed: RiseFall | null,
    sink: HealthSink,
    wallNow: () => number,
  ) {
    this.pool = pool;
    this.#server = server;
    this.#sink = sink;
    this.#wallNow = wallNow;
    this.#probed = probed;
    this.#state = probed?.state ?? "unchecked";
    this.#since = wallNow();
  }

  get server(): ServerSnapshot {
    return this.#server;
  }

  get probed(): RiseFall | null {
    return this.#probed;
  }

  get state(): ServerState {
    return this.#state;
  }

  /** When this state began, milliseconds since the epoch. */
  get since(): number {
    return this.#since;
  }

  get weight256(): number {
    return this.#weight256;
  }

  get slowStarting(): boolean {
    return this.#slowSince !== null;
  }

  /** What operator and agent let it have. */
  get admin(): AdminState {
    const operator = this.#server.state ?? "ready";
    return SEVERITY[operator] >= SEVERITY[this.#wish.admin] ? operator : this.#wish.admin;
  }

  /** As far as its check and its agent are concerned. */
  get isUp(): boolean {
    return this.#probed?.state !== "down" && this.#wish.down === null;
  }

  /** Why the state is what it is, and what the agent wants. */
  get reason(): string {
    const wish = wishWords(this.#wish);
    if (wish === "") return this.#ownReason;
    return this.#wish.down === null ? `${this.#ownReason}; the agent says ${wish}` : `the agent says ${wish}`;
  }

  get #ownReason(): string {
    if (this.#state === "ejected" && this.#ejected !== null) return this.#ejected;
    const unchecked = this.#server.state === "maint"
      ? "in maintenance: not checked"
      : "no check is configured";
    return this.#probed?.reason ?? unchecked;
  }

  /** Writes a new server to the sink, whose slot may hold what a former server left; `cold`: it starts slowly. */
  introduce(cold: boolean, now: number): void {
    const { slot, slowStartMs } = this.#server;
    if (cold && slowStartMs > 0) this.#slowSince = now;
    // One that is to get nothing is taken out before health lets it in, and the other way round.
    if (this.admin !== "ready") this.#sink.setAdmin(slot, this.admin);
    this.#sink.setLimit(slot, this.#wish.limit);
    this.weigh(now);
    this.#sink.setEjected(slot, false);
    this.#sink.setUp(slot, true);
    this.#sink.setAdmin(slot, this.admin);
  }

  /** How long the slow start has been under way; null: none is. */
  slowForMs(now: number): number | null {
    return this.#slowSince === null ? null : now - this.#slowSince;
  }

  /** Why the passive check has taken it out; null: it has not. */
  get ejected(): string | null {
    return this.#ejected;
  }

  /** Goes on from what was known before, in silence: nothing has changed. */
  resume(
    before: { ejected: string | null; slowForMs: number | null; since: number; agent: AgentWish },
    now: number,
  ): void {
    this.#ejected = before.ejected;
    this.#wish = before.agent;
    this.#state = this.#stateNow();
    this.#since = before.since;
    if (before.slowForMs !== null && this.#server.slowStartMs > 0) this.#slowSince = now - before.slowForMs;
    this.weigh(now);
    const { slot } = this.#server;
    this.#sink.setAdmin(slot, this.admin);
    this.#sink.setLimit(slot, this.#wish.limit);
    this.#sink.setEjected(slot, this.#ejected !== null);
    this.#sink.setUp(slot, this.isUp);
  }

  /** Takes the server's settings from a new snapshot; its slot is the same. One that was in maintenance is cold. */
  configure(server: ServerSnapshot, now: number): void {
    const back = this.#server.state === "maint" && server.state !== "maint";
    this.#server = server;
    if (back && server.slowStartMs > 0) this.#slowSince = now;
    this.weigh(now);
    this.#sink.setAdmin(server.slot, this.admin);
  }

  /** The agent wants something, which may be what it wanted before. */
  heed(wish: AgentWish, now: number): void {
    const [before, was] = [wishWords(this.#wish), this.admin];
    const words = wishWords(wish);
    if (words === before) return;
    const wasUp = this.isUp;
    this.#wish = wish;
    const { slot, name, slowStartMs } = this.#server;
    if (was === "maint" && this.admin !== "maint" && slowStartMs > 0) this.#slowSince = now;
    this.#sink.setLimit(slot, wish.limit);
    this.weigh(now);
    this.#show(words === "" ? "the agent says up" : `the agent says ${words}`, now);
    if (this.isUp !== wasUp) this.#sink.setUp(slot, this.isUp);
    this.#sink.setAdmin(slot, this.admin);
    this.#sink.onAgent(this.pool, name, words);
  }

  /** Replaces the active check's machine, null for none. A server without a check counts as up. */
  check(probed: RiseFall | null, reason: string, now: number): void {
    const wasUp = this.isUp;
    this.#probed = probed;
    this.#show(reason, now);
    if (!wasUp && this.isUp) this.#sink.setUp(this.#server.slot, true);
  }

  /** The active check came to another result. */
  probedChanged(reason: string, now: number): void {
    const out = this.isUp ? this.#ejected : null;
    this.#show(out === null ? reason : `${reason}; still ${out}`, now);
    this.#sink.setUp(this.#server.slot, this.isUp);
  }

  /** The passive check ejected the server. */
  eject(reason: string, now: number): void {
    this.#ejected = reason;
    this.#show(reason, now);
    this.#sink.setEjected(this.#server.slot, true);
  }

  /** The passive check let the server back. */
  readmit(reason: string, now: number): void {
    this.#ejected = null;
    this.#show(reason, now);
    this.#sink.setEjected(this.#server.slot, false);
  }

  /** Works out the effective weight; tells the sink when it changed. */
  weigh(now: number): void {
    const { weight, slowStartMs, slot } = this.#server;
    const elapsedMs = this.#slowSince === null ? Infinity : now - this.#slowSince;
    if (elapsedMs >= slowStartMs) this.#slowSince = null;
    const asked = Math.min(
      MAX_WEIGHT,
      Math.ceil(weight * WEIGHT_UNIT * this.#wish.percent / 100) / WEIGHT_UNIT,
    );
    const weight256 = slowStartWeight(asked, slowStartMs, elapsedMs);
    if (weight256 === this.#weight256) return;
    this.#weight256 = weight256;
    this.#sink.setWeight(slot, weight256);
  }

  #stateNow(): ServerState {
    if (!this.isUp) return "down";
    if (this.#ejected !== null) return "ejected";
    return this.#probed?.state ?? "unchecked";
  }

  /** Runs before the sink lets traffic in, so that a slow start's first weight is there before the first request. */
  #show(reason: string, now: number): void {
    const from = this.#state;
    const to = this.#stateNow();
    if (from === to) return;
    this.#state = to;
    this.#since = this.#wallNow();
    const { name, slowStartMs } = this.#server;
    if (takesTraffic(to) && !takesTraffic(from) && slowStartMs > 0) this.#slowSince = now;
    this.weigh(now);
    this.#sink.onTransition({ pool: this.pool, server: name, from, to, reason, at: this.#since });
  }
}

function takesTraffic(state: ServerState): boolean {
  return state !== "down" && state !== "ejected";
}
