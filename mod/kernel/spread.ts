/**
 * From shares of new connections to a table of servers, which the kernel looks up by a counter, a random number or a
 * hash. Pure; it knows no rules.
 *
 * Both nodes make the same table from the same servers and shares, so that a hash leads to the same server on either.
 */
import { maglevTable } from "../balance/maglev_table.ts";
import type { Policy } from "./plan.ts";

/** Primes; a table has at least a hundred positions a server, and stays in a core's cache while it can. */
const SIZES = [4093, 16_381, 65_521];
const POSITIONS_PER_SERVER = 100;
/** Positions of a table that is made of shares. */
const MOST_TURNS = 4096;

/**
 * For each position the index of a server; empty when nobody takes traffic. `keys` are of all configured servers, as
 * the size must not change with health.
 */
export function spread(policy: Policy, keys: readonly string[], shares: readonly number[]): number[] {
  const open = shares.filter((share) => share > 0);
  if (open.length === 0) return [];
  if (policy === "maglev") return [...maglevTable(keys, shares, maglevSize(keys.length))];
  const turns = inSmallNumbers(shares);
  return policy === "roundRobin" ? smooth(turns) : turns.flatMap((count, index) => Array(count).fill(index));
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
