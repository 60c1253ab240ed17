/**
 * Hold-down: how often a node may move the address by its own choice.
 *
 * The first moves are free, so that one incident (away, and back again) costs nobody a wait. From then on every
 * further move must wait, twice as long each time, up to a bound; a node that has kept still for a while is forgiven
 * one move after the other. It never stands between an address and its only taker: that is no move of choice. Nor
 * does it keep the address with a sick node for long, when a peer is steadily better off.
 */

import type { CarriedMoves } from "./carried.ts";

/** There and back: one incident. */
export const FREE_MOVES = 2;
/** The first wait; a process that is restarted is well again in less. */
export const FIRST_HOLD_MS = 10_000;
/** A peer that has been better off for so long without a change does not flap: what is sick goes to it at once. */
export const STEADY_MS = FIRST_HOLD_MS;
/** The longest wait: a flapping node still gets its chance within five minutes. */
export const LONGEST_HOLD_MS = 300_000;
/** As long as this without a move forgives one; longer than the longest wait, else nothing would ever add up. */
export const FORGIVE_MS = 600_000;
/** Beyond this the wait does not grow, so neither does what has to be forgiven. */
const MAX_LEVEL = FREE_MOVES + Math.ceil(Math.log2(LONGEST_HOLD_MS / FIRST_HOLD_MS));

export class HoldDown {
  #level = 0;
  #movedAt = -Infinity;

  /** The address was moved by this node's choice or fault; one that counts for `moves` of them. */
  moved(now: number, moves = 1): void {
    this.#level = Math.min(MAX_LEVEL, this.#levelAt(now) + moves);
    this.#movedAt = now;
  }

  /** When the next move may be made; -Infinity: there is nothing to wait for. */
  until(now: number): number {
    const level = this.#levelAt(now);
    if (level < FREE_MOVES) return -Infinity;
    return this.#movedAt + Math.min(LONGEST_HOLD_MS, FIRST_HOLD_MS * 2 ** (level - FREE_MOVES));
  }

  carried(now: number): CarriedMoves {
    return { level: this.#level, agoMs: this.#level === 0 ? 0 : now - this.#movedAt };
  }

  resume({ level, agoMs }: CarriedMoves, now: number): void {
    this.#level = Math.min(MAX_LEVEL, level);
    this.#movedAt = now - agoMs;
  }

  holds(now: number): boolean {
    return now < this.until(now);
  }

  #levelAt(now: number): number {
    if (this.#level === 0) return 0;
    return Math.max(0, this.#level - Math.floor((now - this.#movedAt) / FORGIVE_MS));
  }
}
