/**
 * From shares of new connections to a table of servers, which the kernel looks up by a counter, a random number or a
 * hash. Pure; it knows no rules.
 *
 * Both nodes make the same table from the same servers and shares, so that a hash leads to the same server on either.
 */
import { maglevTable } from "../balance/maglev_table.ts";
import type { Policy } from "./plan.ts";

/** Primes. Turns are even at any size; a small table stays in a core's cache and is quickly made. */
const SIZES = [4093, 16_381, 65_521];
const POSITIONS_PER_SERVER = 20;
/** Positions of a table that is made of shares. */
const MOST_TURNS = 4096;

/** One of a pool's configured servers, open or not. */
export interface Place {
  /** Tells it from the others on every node. */
  readonly key: string;
  /** While all is well. */
  readonly weight: number;
  /** Of new connections now, in any unit; 0: none. */
  readonly share: number;
}

/** For each position the index of a server; empty when nobody takes traffic. */
export function spread(policy: Policy, places: readonly Place[]): number[] {
  const shares = places.map(({ share }) => share);
  if (shares.every((share) => share === 0)) return [];
  if (policy === "maglev") return maglev(places, shares);
  const turns = inSmallNumbers(shares);
  return policy === "roundRobin" ? smooth(turns) : turns.flatMap((count, index) => Array(count).fill(index));
}

/**
 * The table of all servers, in which those that are closed give their positions to the open ones: nothing else moves
 * when one goes, or comes back. Its size does not change with health either.
 */
function maglev(places: readonly Place[], shares: readonly number[]): number[] {
  const keys = places.map(({ key }) => key);
  const size = maglevSize(keys.length);
  const all = maglevTable(keys, places.map(({ weight }) => weight), size);
  if (all.length > 0 && all.every((first) => shares[first]! > 0)) return [...all];
  const open = maglevTable(keys, shares, size);
  return Array.from(open, (second, at) => {
    const first = all[at];
    return first !== undefined && shares[first]! > 0 ? first : second;
  });
}

/** Positions of a Maglev table for so many servers. */
export function maglevSize(servers: number): number {
  return SIZES.find((size) => size >= servers * POSITIONS_PER_SERVER) ?? SIZES.at(-1)!;
}

/** The same proportions in the smallest whole numbers whose sum is no more than `MOST_TURNS`. */
function inSmallNumbers(shares: readonly number[]): number[] {
  const common = shares.reduce(greatestDivisor, 0);
  const sum = shares.reduce((all, share) => all + share, 0) / common;
  const scale = Math.max(1, sum / MOST_TURNS);
  return shares.map((share) => share === 0 ? 0 : Math.max(1, Math.round(share / common / scale)));
}

function greatestDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

/** Turns spread as evenly as they can be (nginx's smooth weighted round robin). */
function smooth(turns: readonly number[]): number[] {
  const total = turns.reduce((all, count) => all + count, 0);
  const saved = turns.map(() => 0);
  return Array.from({ length: total }, () => {
    turns.forEach((count, index) => saved[index]! += count);
    const next = saved.indexOf(Math.max(...saved));
    saved[next]! -= total;
    return next;
  });
}
