/**
 * The book of names: when each is looked up again, its last good answer, and what can be said about it.
 *
 * Again after its time to live, within bounds; after a failure soon, then ever less often. At most one lookup of
 * a name is under way, and at most `MAX_LOOKUPS` of all. Pure: `now` (milliseconds, monotonic) is a parameter.
 */
import {
  absenceOf,
  failureOf,
  type Lookup,
  type Member,
  membersOf,
  mergeLookups,
  type Name,
  sameMembers,
  ttlOf,
} from "./answer.ts";

/** A time to live of 0 is common for service records; asking more than once a second helps nobody. */
export const MIN_TTL_MS = 1000;
/** So a change is seen within minutes even where records were published with days. */
export const MAX_TTL_MS = 300_000;
/** After a failure: 1 s, 2 s, 4 s … */
const FIRST_RETRY_MS = 1000;
const MAX_RETRY_MS = 10_000;
/** Servers of one name; more are left out, and the status says so. */
export const MAX_MEMBERS = 128;
/** Lookups under way at the same time. */
export const MAX_LOOKUPS = 32;

/** One lookup to make. The object itself is its identity: the result comes back with it. */
export interface DueLookup {
  readonly name: Name;
}

/** `unknown`: no answer yet; `stale`: the last good answer is kept; `failing`: there has never been one. */
export type NameState = "unknown" | "good" | "stale" | "failing";

export interface NameStatus {
  readonly dns: string;
  readonly type: Name["type"];
  readonly state: NameState;
  /** What went wrong; empty when nothing did. */
  readonly reason: string;
  readonly members: readonly Member[];
  /** Age of the last good answer; null before the first. */
  readonly ageMs: number | null;
  /** Time until the next lookup; null while one is under way. */
  readonly nextInMs: number | null;
}

interface Entry extends DueLookup {
  last: Lookup | null;
  members: readonly Member[];
  state: NameState;
  reason: string;
  goodAt: number | null;
  failures: number;
  dueAt: number;
  running: boolean;
}

export class NameBook {
  #entries = new Map<string, Entry>();
  #running = 0;

  /** Takes the names that matter now. Known ones keep everything, new ones are due at once. */
  update(names: readonly Name[], now: number): void {
    const kept = new Map<string, Entry>();
    for (const name of names) {
      const key = keyOf(name);
      kept.set(key, this.#entries.get(key) ?? newEntry(name, now));
    }
    for (const [key, entry] of this.#entries) if (entry.running && !kept.has(key)) this.#running--;
    this.#entries = kept;
  }

  /** Lookups to start now; each counts as under way until `finished`, or until its name is dropped. */
  due(now: number): DueLookup[] {
    const due: Entry[] = [];
    for (const entry of this.#entries.values()) {
      if (this.#running >= MAX_LOOKUPS) break;
      if (entry.running || entry.dueAt > now) continue;
      entry.running = true;
      this.#running++;
      due.push(entry);
    }
    return due;
  }

  /** False when the name was dropped since the lookup began. */
  wanted(lookup: DueLookup): boolean {
    return this.#entries.get(keyOf(lookup.name)) === lookup;
  }

  /** Takes the result of a lookup; true when the servers of the name changed. */
  finished(due: DueLookup, result: Lookup, now: number): boolean {
    const entry = this.#entries.get(keyOf(due.name));
    if (entry === undefined || entry !== due || !entry.running) return false;
    entry.running = false;
    this.#running--;
    if (membersOf(result).length === 0) {
      entry.state = entry.goodAt === null ? "failing" : "stale";
      entry.reason = absenceOf(result);
      this.#retry(entry, now);
      return false;
    }
    entry.last = mergeLookups(entry.last, result);
    entry.state = "good";
    entry.goodAt = now;
    const failure = failureOf(result);
    entry.reason = failure === null ? "" : `in part: ${failure}`;
    if (failure !== null) this.#retry(entry, now);
    else entry.failures = 0;
    const ttlMs = Math.min(MAX_TTL_MS, Math.max(MIN_TTL_MS, ttlOf(result) * 1000));
    entry.dueAt = failure === null ? now + ttlMs : Math.min(entry.dueAt, now + ttlMs);
    const all = membersOf(entry.last);
    if (all.length > MAX_MEMBERS) entry.reason = `${all.length} addresses, of which ${MAX_MEMBERS} are used`;
    const members = all.slice(0, MAX_MEMBERS);
    const changed = !sameMembers(members, entry.members);
    entry.members = members;
    return changed;
  }

  /** The earliest time at which `due` has something, or Infinity. */
  deadline(): number {
    if (this.#running >= MAX_LOOKUPS) return Infinity;
    let earliest = Infinity;
    for (const entry of this.#entries.values()) {
      if (!entry.running) earliest = Math.min(earliest, entry.dueAt);
    }
    return earliest;
  }

  /** The last good servers of a name; empty when it is not in the book or never had any. */
  members(name: Name): readonly Member[] {
    return this.#entries.get(keyOf(name))?.members ?? [];
  }

  /** What is wrong with a name; empty when nothing is, or when it is not in the book. */
  trouble(name: Name): string {
    return this.#entries.get(keyOf(name))?.reason ?? "";
  }

  /** True when every name has been looked up at least once, well or badly. */
  get settled(): boolean {
    return [...this.#entries.values()].every((entry) => entry.state !== "unknown");
  }

  status(now: number): NameStatus[] {
    return [...this.#entries.values()].map(({ name, state, reason, members, goodAt, running, dueAt }) => ({
      dns: name.dns,
      type: name.type,
      state,
      reason,
      members,
      ageMs: goodAt === null ? null : now - goodAt,
      nextInMs: running ? null : Math.max(0, dueAt - now),
    }));
  }

  #retry(entry: Entry, now: number): void {
    entry.dueAt = now + Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(entry.failures, 10));
    entry.failures++;
  }
}

function keyOf({ dns, type }: Name): string {
  return `${type} ${dns}`;
}

function newEntry(name: Name, now: number): Entry {
  return {
    name,
    last: null,
    members: [],
    state: "unknown",
    reason: "",
    goodAt: null,
    failures: 0,
    dueAt: now,
    running: false,
  };
}
