/**
 * One virtual router as this node knows it: configuration, phase, timers, faults, peers; and the moves between phases.
 *
 * Every move clears every timer first, so none outlives the phase that set it. What leads to a move is decided by the
 * handlers (backup.ts, active.ts, idle.ts); which moves exist is in table.ts.
 */
import { formatIp, type IpBytes } from "../mod/base/address.ts";
import type { CarriedInstance } from "./carried.ts";
import type { Action, Advert, AnnounceConfig, InstanceConfig, Phase, State } from "./events.ts";
import { HoldDown } from "./holddown.ts";
import { FULL_HEALTH, type KnownPeer, Peers } from "./peers.ts";
import { activeDownMs, MIN_INTERVAL_MS, OWNER_PRIORITY, RESIGN_PRIORITY, skewMs } from "./timing.ts";

export const ANNOUNCE: AnnounceConfig = { times: 5, againMs: 5000, refreshMs: 60_000, refreshTimes: 1 };
/** Adverts of a deaf second Active must not become a storm of announcements. */
export const ANNOUNCE_APART_MS = 100;

/** How long a node keeps an address that another has taken from it as planned. */
export const GRACE_MS = 200;

type Round = "first" | "second" | "refresh";

/** The node that was last heard as Active. */
export interface Leader {
  readonly advert: Advert;
  readonly at: number;
}

/** Why a node gives the address away, and what it is when another has it. */
export interface Yielding {
  readonly to: "backup" | "fault";
  /** By the operator's will, which outlasts a greater priority. */
  readonly onPurpose: boolean;
  readonly reason: string;
  /** Adverts before this are no sign that another has the address: it may be the last word of one that goes. */
  readonly heedAt: number;
  /** True: it keeps the address for a moment when another has it, so that what is under way may end. */
  readonly graceful: boolean;
  /** True: it goes after the grace, whoever takes over: the rest of its sync group has gone. */
  readonly final?: boolean;
}

/** The other one has the address: what is left is to let go of it, in silence. */
export interface Leaving {
  readonly advert: Advert;
  readonly heardAt: number;
}

/** An Active that loses against us, and has not gone. */
export interface Rival {
  readonly sender: IpBytes;
  readonly since: number;
  readonly at: number;
}

export class Instance {
  phase: Phase = "initialize";
  reason = "not started";
  since = -Infinity;

  /** Own health, and when it last became worse. */
  score = FULL_HEALTH;
  healthReason = "";
  worseSince = -Infinity;
  /** Has been in full health since it runs; before, it is starting, and what it gives away is no flapping. */
  wasWell = false;
  priorityChange = 0;
  readonly faults = new Map<string, string>();
  readonly peers = new Peers();
  readonly hold = new HoldDown();

  leader: Leader | null = null;
  /** When it last became active, or took back what it was giving away. */
  claimedAt = -Infinity;
  rival: Rival | null = null;
  /** When an Active that should lose was last heard for longer than a take-over explains. */
  conflictAt = -Infinity;
  /** Why the address was given away on purpose; null: it was not. */
  movedAway: string | null = null;
  /** See preempt.ts. */
  ableSince: number | null = null;
  /** Why the last advert of lower priority was not preempted. */
  waiting: string | null = null;
  /** Of a sync group: it would be active by itself, and waits for the others. */
  ready = false;
  /** Active_Adver_Interval (RFC 9568 section 6.1). */
  followMs: number;
  /** Active_Down_Timer. */
  activeDownAt = Infinity;
  /** When the Active was last known to live: what the timer counts from. */
  followedAt = -Infinity;
  /** Adver_Timer. */
  adverAt = Infinity;
  advertSentAt = Infinity;
  /** Adverts still to be sent at the old, shorter interval after it was made longer. */
  quick = { left: 0, ms: 0 };
  announceAt = Infinity;
  announcedAt = -Infinity;
  /** When another Active was last answered. */
  answeredAt = -Infinity;
  nextRound: Round = "first";
  rounds = 0;
  /** Until then every advert comes with an announcement: an Active that we do not hear may be announcing too. */
  contestedUntil = -Infinity;
  yielding: (Yielding & { untilAt: number; leaving: Leaving | null }) | null = null;

  constructor(public config: InstanceConfig) {
    this.followMs = config.intervalMs;
  }

  /** The priority that counts in the election and stands in adverts. */
  get priority(): number {
    if (this.config.priority === OWNER_PRIORITY) return OWNER_PRIORITY;
    return Math.max(1, Math.min(OWNER_PRIORITY - 1, this.config.priority + this.priorityChange));
  }

  get state(): State {
    return stateOf(this.phase);
  }

  /** How long an Active at our own interval may be silent before we take over. */
  get ownDownMs(): number {
    return activeDownMs(this.config.version, this.priority, this.config.intervalMs);
  }

  /** Long enough for a request, and no longer than an interval: the other takes what comes later for a conflict. */
  get graceMs(): number {
    return Math.min(GRACE_MS, this.config.intervalMs);
  }

  /** A peer that is better off, by a fresh report that came after we became worse; null in full health. */
  betterPeer(now: number): KnownPeer | null {
    if (this.score >= FULL_HEALTH) return null;
    return this.peers.better(this.score, this.worseSince, now, this.config.intervalMs);
  }

  /** Starts the Active_Down_Timer from `now`. */
  follow(now: number, intervalMs: number): void {
    this.ready = false;
    // Version 2 knows one interval for all (RFC 3768 section 5.3.7).
    this.followMs = this.config.version === 2 ? this.config.intervalMs : intervalMs;
    this.followedAt = now;
    this.activeDownAt = now + activeDownMs(this.config.version, this.priority, this.followMs) +
      this.deferenceMs(now);
  }

  /** The Active resigned: only the skew decides who is next (RFC 9568 section 6.4.2). */
  followResigned(now: number): void {
    this.ready = false;
    const at = now + skewMs(this.config.version, this.priority, this.followMs);
    const deferenceMs = this.deferenceMs(now);
    // Resigning is repeated every interval: it must not push a wait that is longer than the skew away for ever.
    this.activeDownAt = deferenceMs > 0 ? Math.min(this.activeDownAt, at + deferenceMs) : at;
  }

  /** A sick node lets those that are better off go first. */
  deferenceMs(now: number): number {
    return this.betterPeer(now) === null ? 0 : this.followMs;
  }

  /** The timer again, after the priority or the interval changed; never later than it was. */
  refollow(now: number): void {
    this.ready = false;
    const before = this.activeDownAt;
    if (this.leader === null) this.followMs = this.config.intervalMs;
    const total = activeDownMs(this.config.version, this.priority, this.followMs) + this.deferenceMs(now);
    this.activeDownAt = Math.min(before, this.followedAt + total);
  }

  advert(priority: number): Action {
    return { kind: "sendAdvert", priority, intervalMs: this.config.intervalMs };
  }

  /** Our advert, and the timer for the next. */
  sendAdvert(now: number): Action {
    this.advertSentAt = now;
    const quick = this.quick.left > 0;
    if (quick) this.quick.left--;
    this.adverAt = now + (quick ? this.quick.ms : this.config.intervalMs);
    return this.advert(this.phase === "yielding" ? RESIGN_PRIORITY : this.priority);
  }

  /** The announcements that are due, and the timer for the next round. */
  announce(now: number): Action {
    const { times, againMs, refreshMs, refreshTimes } = this.config.announce ?? ANNOUNCE;
    const refreshes = this.nextRound === "refresh";
    const again = this.nextRound === "first" && againMs > 0;
    const afterMs = again ? againMs : refreshMs;
    this.announcedAt = now;
    this.announceAt = afterMs > 0 ? now + afterMs : Infinity;
    this.nextRound = again ? "second" : "refresh";
    return { kind: "announce", round: ++this.rounds, times: refreshes ? refreshTimes : times };
  }

  /**
   * Took over from one that went silent: it is dead, or it lives and we do not hear it. Or another was active that
   * should lose. It wins all announcements until it finds out, and its last word may not reach us.
   */
  contest(now: number): void {
    this.contestedUntil = now + 2 * this.ownDownMs;
  }

  /** One more announcement, while there may be another Active; the rounds go on as they are. */
  announceAgain(now: number): Action[] {
    return now > this.contestedUntil ? [] : [{ kind: "announce", round: this.rounds, times: 1 }];
  }

  /** Puts the addresses back and tells the LAN again. */
  reassert(now: number): Action[] {
    return [{ kind: "addAddresses" }, ...this.announceSoon(now)];
  }

  /** At once, or soon when the LAN was told a moment ago. */
  announceSoon(now: number): Action[] {
    this.nextRound = "first";
    if (now - this.announcedAt >= ANNOUNCE_APART_MS) return [this.announce(now)];
    this.announceAt = Math.min(this.announceAt, this.announcedAt + ANNOUNCE_APART_MS);
    return [];
  }

  /**
   * Whether one that is active too is to be answered now: at once (RFC 9568 section 6.4.3), but no more often than
   * adverts can be due, as anybody on the LAN can send more than this node can answer.
   */
  mayAnswer(now: number): boolean {
    if (now - this.answeredAt < MIN_INTERVAL_MS) return false;
    this.answeredAt = now;
    return true;
  }

  toBackup(reason: string, now: number, leader: Advert | null = null): Action[] {
    const told = this.#move("backup", reason, now);
    this.leader = leader === null ? null : { advert: leader, at: now };
    this.follow(now, leader?.intervalMs ?? this.config.intervalMs);
    return told;
  }

  /** First the advert, then the address, then the announcements: who hears the first stops answering in time. */
  toActive(reason: string, now: number): Action[] {
    const told = this.#move("active", reason, now);
    this.leader = null;
    this.claimedAt = now;
    this.movedAway = null;
    this.nextRound = "first";
    this.rounds = 0;
    return [this.sendAdvert(now), { kind: "addAddresses" }, this.announce(now), ...told];
  }

  /** What a keeper that takes over is to know; null: the address is on its way to another node. */
  carried(now: number): CarriedInstance | null {
    if (this.phase === "yielding") return null;
    return {
      state: this.state,
      reason: this.reason,
      forMs: Math.max(0, Math.min(Number.MAX_SAFE_INTEGER, now - this.since)),
      wasWell: this.wasWell,
      movedAway: this.movedAway,
      followMs: this.followMs,
      moves: this.hold.carried(now),
    };
  }

  /** Goes on as Active: the LAN knows who has the address, and is told again in a while, as planned. */
  resumeActive(reason: string, now: number): Action[] {
    this.#move("active", reason, now);
    const { againMs, refreshMs } = this.config.announce ?? ANNOUNCE;
    const afterMs = againMs > 0 ? againMs : refreshMs;
    this.nextRound = againMs > 0 ? "second" : "refresh";
    this.announceAt = afterMs > 0 ? now + afterMs : Infinity;
    return [this.sendAdvert(now), { kind: "addAddresses" }];
  }

  /** Says that it goes, and keeps the address until another has it or `ownDownMs` are over. */
  toYielding(why: Yielding, now: number): Action[] {
    this.#move("yielding", why.reason, now);
    const untilAt = now + (why.final === true ? this.graceMs : this.ownDownMs);
    this.yielding = { ...why, untilAt, leaving: null };
    return [this.sendAdvert(now), { kind: "note", reason: `handing the address over: ${why.reason}` }];
  }

  /** Another has the address, and announces it: keeps it for the grace, without a word. */
  toLeaving(why: Yielding, advert: Advert, now: number): Action[] {
    if (this.phase !== "yielding") this.#move("yielding", why.reason, now);
    this.yielding = { ...why, untilAt: now + this.graceMs, leaving: { advert, heardAt: now } };
    this.adverAt = Infinity;
    this.announceAt = Infinity;
    this.advertSentAt = now;
    return [];
  }

  toFault(reason: string, now: number): Action[] {
    return this.#move("fault", reason, now);
  }

  toInitialize(reason: string, now: number): Action[] {
    this.leader = null;
    return this.#move("initialize", reason, now);
  }

  /** All hard faults in one sentence, but for these. */
  faultReason(except: readonly string[] = []): string {
    return [...this.faults].filter(([what]) => !except.includes(what))
      .map(([what, reason]) => `${what}: ${reason}`).join("; ");
  }

  /** Name, address, priority and health of an advert's sender, for a person. */
  describe(advert: Advert): string {
    const address = formatIp(advert.sender);
    const health = advert.health ?? this.peers.health(advert.node);
    const known = [advert.node === null ? null : address, `priority ${advert.priority}`];
    if (health !== null) known.push(`health ${health}`);
    return `${advert.node ?? address} (${known.filter((part) => part !== null).join(", ")})`;
  }

  #move(to: Phase, reason: string, now: number): Action[] {
    const from = this.state;
    if (this.score >= FULL_HEALTH) this.wasWell = true;
    this.phase = to;
    this.reason = reason;
    this.activeDownAt = this.adverAt = this.announceAt = Infinity;
    this.advertSentAt = Infinity;
    this.contestedUntil = -Infinity;
    if (to !== "yielding" && to !== "active") this.conflictAt = -Infinity;
    this.quick.left = 0;
    this.ready = false;
    this.ableSince =
      this.waiting =
      this.yielding =
      this.rival =
        null;
    if (from === this.state) return [];
    this.since = now;
    return [{ kind: "notify", from, to: this.state, reason }];
  }
}

export function stateOf(phase: Phase): State {
  return phase === "yielding" ? "active" : phase;
}

/** Order of two addresses as unsigned integers in network order (RFC 9568 section 6.4.3). */
export function compareAddresses(a: IpBytes, b: IpBytes): number {
  if (a.length !== b.length) return a.length - b.length;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return a[at]! - b[at]!;
  return 0;
}
