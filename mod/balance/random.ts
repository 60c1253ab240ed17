/**
 * Two choices at random (Mitzenmacher): draws two different servers by their weights and takes the one with fewer
 * requests under way for its weight. Nearly as even as looking at all, without all workers running to the same
 * server. Two passes over the servers, nothing is allocated. It must not know latency.
 */
import type { Policy, PolicyOptions, ServerView } from "./policy.ts";

export function random(options: PolicyOptions): Policy {
  return new TwoChoices(options.random);
}

class TwoChoices implements Policy {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  pick(servers: ServerView): number {
    let total = totalWeight(servers, 0);
    // Servers of weight 0 are the last resort, with equal chances.
    const least = total === 0 ? 1 : 0;
    if (least === 1) total = totalWeight(servers, least);
    if (total === 0) return -1;
    const first = draw(servers, least, Math.floor(this.#random() * total), -1);
    if (first < 0) return -1;
    const rest = total - weightOf(servers, first, least);
    const second = rest <= 0 ? -1 : draw(servers, least, Math.floor(this.#random() * rest), first);
    return second >= 0 && busier(servers, first, second, least) ? second : first;
  }
}

function weightOf(servers: ServerView, index: number, least: number): number {
  return Math.max(least, servers.weight(index));
}

function totalWeight(servers: ServerView, least: number): number {
  let total = 0;
  for (let index = 0; index < servers.size; index++) {
    if (servers.eligible(index)) total += weightOf(servers, index, least);
  }
  return total;
}

/** The server at this point of the weights laid end to end. Should less be there by now, the last one; or -1. */
function draw(servers: ServerView, least: number, point: number, except: number): number {
  let last = -1;
  for (let index = 0; index < servers.size; index++) {
    const weight = weightOf(servers, index, least);
    if (weight === 0 || index === except || !servers.eligible(index)) continue;
    last = index;
    point -= weight;
    if (point < 0) break;
  }
  return last;
}

/** True when `one` has more under way for its weight than `other`. */
function busier(servers: ServerView, one: number, other: number, least: number): boolean {
  return servers.active(one) * weightOf(servers, other, least) >
    servers.active(other) * weightOf(servers, one, least);
}
