/**
 * What the dashboard remembers of a node from look to look: traffic for its charts, and who held which addresses.
 * Pure, and bounded.
 */
import { LATENCY_BUCKETS_MS } from "../../mod/base/counters.ts";
import type { InstanceStatus } from "../../mod/observe/election_status.ts";
import type { KeeperStatus } from "../../mod/observe/keeper_status.ts";
import type { NodeStatus } from "../../mod/observe/status.ts";

/** Looks that are kept: five minutes of one a second. */
const LOOKS = 300;
const TRANSITIONS = 20;
/** Rates are over so many looks, so that they can be read. */
const OVER = 5;

export interface Transition {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly instance: string;
  readonly state: InstanceStatus["state"];
  readonly owner: string | null;
  readonly why: string;
}

/** What happened between two looks. */
export interface Point {
  readonly at: number;
  /** A second. */
  readonly requests: number;
  readonly errors: number;
  /** Milliseconds; null: there was no request. */
  readonly p50: number | null;
  readonly p99: number | null;
}

interface Look {
  readonly at: number;
  readonly requests: number;
  readonly errors: number;
  readonly buckets: readonly number[];
  /** By listener, and by pool and server. */
  readonly each: ReadonlyMap<string, number>;
}

export class History {
  readonly transitions: Transition[] = [];
  readonly points: Point[] = [];
  #looks: Look[] = [];
  readonly #states = new Map<string, number>();

  /** `at`: milliseconds since 1970. Null: that process did not answer. */
  add(at: number, node: NodeStatus | null, keeper: KeeperStatus | null): void {
    for (const instance of keeper?.vrrp.instances ?? []) this.#follow(instance);
    if (node !== null) this.#look(at, node);
  }

  /** Requests a second of a listener (`listener`) or server (`pool/server`) of late; null: not known yet. */
  rate(name: string): number | null {
    const last = this.#looks.at(-1), first = this.#looks.at(-1 - OVER) ?? this.#looks[0];
    if (last === undefined || first === undefined || last === first) return null;
    const [to, from] = [last.each.get(name), first.each.get(name)];
    return to === undefined || from === undefined
      ? null
      : Math.max(0, to - from) / (last.at - first.at) * 1000;
  }

  #follow({ name, state, since, owner, why }: InstanceStatus): void {
    if (this.#states.get(name) === since) return;
    this.#states.set(name, since);
    this.transitions.unshift({ at: since, instance: name, state, owner, why });
    this.transitions.length = Math.min(this.transitions.length, TRANSITIONS);
  }

  #look(at: number, { listeners, pools, startedAt }: NodeStatus): void {
    const each = new Map<string, number>();
    for (const { name, counters } of listeners) each.set(name, counters.requests);
    for (const pool of pools) {
      for (const { name, counters } of pool.servers) each.set(`${pool.name}/${name}`, counters.requests);
    }
    const look: Look = {
      at,
      requests: sum(listeners.map(({ counters }) => counters.requests)),
      errors: sum(listeners.map(({ counters }) => counters.responses5xx)),
      buckets: LATENCY_BUCKETS_MS.concat(Infinity).map((_, bucket) =>
        sum(listeners.map(({ latency }) => latency.buckets[bucket] ?? 0))
      ),
      each,
    };
    const before = this.#looks.at(-1);
    // A balancer that was started anew counts from 0.
    if (before !== undefined && startedAt > before.at) this.#looks = [];
    else if (before !== undefined && at > before.at) this.points.push(pointOf(before, look));
    this.#looks.push(look);
    if (this.#looks.length > OVER + 1) this.#looks.shift();
    if (this.points.length > LOOKS) this.points.shift();
  }
}

function pointOf(from: Look, to: Look): Point {
  const seconds = (to.at - from.at) / 1000;
  const buckets = to.buckets.map((count, at) => Math.max(0, count - from.buckets[at]!));
  return {
    at: to.at,
    requests: Math.max(0, to.requests - from.requests) / seconds,
    errors: Math.max(0, to.errors - from.errors) / seconds,
    p50: quantile(buckets, 0.5),
    p99: quantile(buckets, 0.99),
  };
}

/** The upper bound of the bucket that holds it. */
function quantile(buckets: readonly number[], share: number): number | null {
  const wanted = sum(buckets) * share;
  if (wanted === 0) return null;
  let count = 0;
  const at = buckets.findIndex((inBucket) => (count += inBucket) >= wanted);
  return LATENCY_BUCKETS_MS[at] ?? LATENCY_BUCKETS_MS.at(-1)!;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
