/**
 * The shared memory that comes and goes with snapshots: of sessions and of limits. Pure, and without what only the
 * control thread does with it.
 */
import type { LimitMemories } from "./limit_memory.ts";
import type { StickMemories } from "./stick_memory.ts";

/** What the workers get with a snapshot. */
export interface Tables {
  readonly sticks: StickMemories;
  readonly limits: LimitMemories;
}

export const NO_TABLES: Tables = { sticks: new Map(), limits: new Map() };
