/**
 * Which servers of a pool may be used: health, admin state, backups, limits and servers already tried.
 *
 * Every server has a tier, and only the best tier that has a server left is used: primaries, then backups, then
 * servers of weight 0, then (if the pool wants it) those that are down. Tiers and weights are read again only when
 * the version word of the slots has changed; limits are looked at for every pick. It must not know policies.
 */
import type { ServerSlots } from "../base/slots.ts";
import type { PoolSnapshot } from "../config/snapshot.ts";
import type { ServerView } from "./policy.ts";

const PRIMARY = 0, BACKUP = 1, LAST_RESORT = 2, DOWN = 3;
/** In maint, or down in a pool that does not try such. */
const NEVER = 4;
/** FNV-1a of 32 bits. */
const FNV_BASIS = 0x811c9dc5 | 0, FNV_PRIME = 0x01000193;
const NO_SLOTS: readonly number[] = [];

export class PoolView implements ServerView {
  readonly size: number;
  /** Fingerprint of the pool's servers: equal slots in equal order, equal number. */
  readonly members: number;
  readonly #slots: ServerSlots;
  readonly #pool: PoolSnapshot;
  readonly #slot: Int32Array;
  readonly #max: Int32Array;
  readonly #tier: Uint8Array;
  readonly #weight: Int32Array;
  readonly #index = new Map<number, number>();
  #version = -1;
  /** The best tier that has a server at all. */
  #open = NEVER;
  /** The tier and the tried slots of the pick under way. */
  #current = NEVER;
  #tried = NO_SLOTS;

  constructor(pool: PoolSnapshot, slots: ServerSlots) {
    this.size = pool.servers.length;
    this.#pool = pool;
    this.#slots = slots;
    this.#slot = Int32Array.from(pool.servers, (server) => server.slot);
    this.#max = new Int32Array(this.size);
    this.#tier = new Uint8Array(this.size);
    this.#weight = new Int32Array(this.size);
    this.members = this.#slot.reduce((hash, slot) => Math.imul(hash ^ slot, FNV_PRIME), FNV_BASIS);
    pool.servers.forEach((server, index) => this.#index.set(server.slot, index));
  }

  /** True when a state or weight of any server has changed. */
  stale(): boolean {
    return this.#slots.version() !== this.#version;
  }

  /** Reads states and weights again if any has changed; true when so. */
  refresh(): boolean {
    const version = this.#slots.version();
    if (version === this.#version) return false;
    this.#version = version;
    this.#open = NEVER;
    for (let index = 0; index < this.size; index++) {
      const tier = this.#tierOf(index);
      this.#tier[index] = tier;
      this.#weight[index] = this.#slots.weight(this.#slot[index]!);
      this.#max[index] = this.#slots.limit(this.#slot[index]!) || this.#pool.servers[index]!.maxConnections;
      if (tier < this.#open) this.#open = tier;
    }
    return true;
  }

  /** Prepares picks for a request that has tried these slots. False: there is no server for it, not even a full one. */
  select(tried: readonly number[]): boolean {
    this.#tried = tried;
    this.#current = this.#open;
    if (tried.length === 0) return this.#open < NEVER;
    this.#current = NEVER;
    for (let index = 0; index < this.size; index++) {
      const tier = this.#tier[index]!;
      // A server that is down is tried only when all are down.
      if (tier === DOWN && this.#open < DOWN) continue;
      if (tier < this.#current && !tried.includes(this.#slot[index]!)) this.#current = tier;
    }
    return this.#current < NEVER;
  }

  eligible(index: number): boolean {
    if (this.#tier[index] !== this.#current) return false;
    const max = this.#max[index]!;
    if (max !== 0 && this.#slots.active(this.#slot[index]!) >= max) return false;
    return this.#tried.length === 0 || !this.#tried.includes(this.#slot[index]!);
  }

  weight(index: number): number {
    return this.#weight[index]!;
  }

  active(index: number): number {
    return this.#slots.active(this.#slot[index]!);
  }

  slot(index: number): number {
    return this.#slot[index]!;
  }

  max(index: number): number {
    return this.#max[index]!;
  }

  /** May get requests of the sessions that it has: also in drain, or down where all are tried when all are down. */
  keeps(index: number): boolean {
    return this.#slots.keeps(this.#slot[index]!) || this.open(index);
  }

  /** The tier of requests that have tried nothing yet. */
  get best(): number {
    return this.#open;
  }

  /** Tier of the pick under way. */
  get current(): number {
    return this.#current;
  }

  tier(index: number): number {
    return this.#tier[index]!;
  }

  /** May get requests that have tried nothing yet. */
  open(index: number): boolean {
    return this.#tier[index] === this.#open && this.#open < NEVER;
  }

  /** May get requests of its tier, which have tried all of the better ones. */
  usable(index: number): boolean {
    return this.#tier[index]! < DOWN || this.open(index);
  }

  /** Index of the server with this slot, or -1. */
  indexOf(slot: number): number {
    return this.#index.get(slot) ?? -1;
  }

  #tierOf(index: number): number {
    const slot = this.#slot[index]!;
    if (!this.#slots.available(slot)) {
      return this.#pool.whenAllDown === "try" && this.#slots.admin(slot) !== "maint" ? DOWN : NEVER;
    }
    if (this.#slots.weight(slot) === 0) return LAST_RESORT;
    return this.#pool.servers[index]!.backup ? BACKUP : PRIMARY;
  }
}
