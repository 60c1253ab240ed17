/**
 * When each probe is due. One entry a server, identified by its slot; at most one probe of a server is under way.
 *
 * First probes are spread evenly over the first second (or the interval, if shorter), and every interval is
 * varied by a tenth, so that the probes of many servers neither start nor fall into step. The interval counts
 * from the start of a probe. It knows no clock: `now` (milliseconds, monotonic) and `random` are parameters.
 */

/** First results matter most, so they are not spread over a whole long interval. */
export const FIRST_SPREAD_MS = 1000;
/** Share of the interval by which it is varied either way. HAProxy: `spread-checks`, advised 2 to 5 of 10 either way. */
export const JITTER = 0.1;

interface Entry {
  intervalMs: number;
  dueAt: number;
  startedAt: number;
  running: boolean;
}

export class ProbeSchedule {
  #random: () => number;
  #entries = new Map<number, Entry>();
  /** No probe is due before this; kept as a bound, so that `deadline` need not look at every server. */
  #earliest = Infinity;

  /** `random` gives numbers from 0 up to, not including, 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Adds servers that have not been probed; their first probes are spread among each other. */
  add(servers: readonly { slot: number; intervalMs: number }[], now: number): void {
    servers.forEach(({ slot, intervalMs }, index) => {
      const spreadMs = Math.min(FIRST_SPREAD_MS, intervalMs);
      const dueAt = now + spreadMs * (index + this.#random()) / servers.length;
      this.#entries.set(slot, { intervalMs, dueAt, startedAt: now, running: false });
      this.#earliest = Math.min(this.#earliest, dueAt);
    });
  }

  /** Forgets a server; the end of a probe of it that is under way is then ignored. */
  remove(slot: number): void {
    this.#entries.delete(slot);
  }

  /** Takes a new interval for a known server; a probe that waits comes no later than that from now. */
  configure(slot: number, intervalMs: number, now: number): void {
    const entry = this.#entries.get(slot);
    if (entry === undefined || entry.intervalMs === intervalMs) return;
    entry.intervalMs = intervalMs;
    entry.dueAt = Math.min(entry.dueAt, now + this.#vary(intervalMs));
    if (!entry.running) this.#earliest = Math.min(this.#earliest, entry.dueAt);
  }

  /** Servers whose probe must start now; they count as under way until `finished`. */
  due(now: number): number[] {
    const slots: number[] = [];
    if (now < this.#earliest) return slots;
    this.#earliest = Infinity;
    for (const [slot, entry] of this.#entries) {
      if (entry.running) continue;
      if (entry.dueAt > now) {
        this.#earliest = Math.min(this.#earliest, entry.dueAt);
        continue;
      }
      entry.running = true;
      entry.startedAt = now;
      slots.push(slot);
    }
    return slots;
  }

  /** A server's probe has started, due or not; it counts as under way until `finished`. */
  started(slot: number, now: number): void {
    const entry = this.#entries.get(slot);
    if (entry === undefined || entry.running) return;
    entry.running = true;
    entry.startedAt = now;
  }

  /** A probe ended; the next is due `intervalMs` after its start, at once if that has passed. */
  finished(slot: number, intervalMs: number, now: number): void {
    const entry = this.#entries.get(slot);
    if (entry === undefined || !entry.running) return;
    entry.running = false;
    entry.intervalMs = intervalMs;
    entry.dueAt = Math.max(now, entry.startedAt + this.#vary(intervalMs));
    this.#earliest = Math.min(this.#earliest, entry.dueAt);
  }

  /** When a server's next probe is due; null while one is under way or when it is not probed. */
  dueAt(slot: number): number | null {
    const entry = this.#entries.get(slot);
    return entry === undefined || entry.running ? null : entry.dueAt;
  }

  /** When to call `due` next, or Infinity; it may then have nothing, when a server was removed meanwhile. */
  deadline(): number {
    return this.#earliest;
  }

  #vary(intervalMs: number): number {
    return intervalMs * (1 - JITTER + 2 * JITTER * this.#random());
  }
}
