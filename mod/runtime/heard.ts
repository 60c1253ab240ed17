/** What the keeper has heard of its balancer. Pure. */
import type { ToKeeper } from "./link.ts";

type Said<Kind extends ToKeeper["kind"]> = Extract<ToKeeper, { kind: Kind }>;

export class Heard {
  /** When it was last heard, on the keeper's clock. */
  at = -Infinity;
  /** How late its last heartbeat was; null: none came. */
  lagMs: number | null = null;
  counters: Said<"counters"> | null = null;
  readonly pools = new Map<string, { readonly healthy: number; readonly servers: number }>();
  /** What is known of the pools is of the configuration before. */
  poolsAreOld = false;

  beat({ lagMs }: Said<"heartbeat">, now: number): void {
    this.lagMs = lagMs;
    this.at = now;
  }

  tell(pools: Said<"health">["pools"]): void {
    if (this.poolsAreOld) this.pools.clear();
    this.poolsAreOld = false;
    for (const { pool, healthy, servers } of pools) this.pools.set(pool, { healthy, servers });
  }

  /** The balancer has ended. */
  forget(): void {
    this.lagMs = null;
    this.pools.clear();
  }
}
