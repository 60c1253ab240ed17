/**
 * The shared memory of sessions and of limits as the control thread has it, from one snapshot to the next. Pure.
 */
import type { Snapshot } from "../config/snapshot.ts";
import { Limits } from "./limit_memory.ts";
import { Sticks } from "./stick_memory.ts";
import type { Tables } from "./tables.ts";

export class TableKeeper {
  readonly sticks: Sticks;
  readonly limits: Limits;

  constructor(workers: number, random: () => number) {
    this.sticks = new Sticks(workers, random);
    this.limits = new Limits(workers, random);
  }

  /** What a snapshot is to have; nothing changes before `keep`. `now` in milliseconds since 1970. */
  prepare(snapshot: Snapshot, now: number): Tables {
    return { sticks: this.sticks.prepare(snapshot, now), limits: this.limits.prepare(snapshot, now) };
  }

  /** The snapshot that this was prepared for is in force. */
  keep({ sticks, limits }: Tables): void {
    this.sticks.keep(sticks);
    this.limits.keep(limits);
  }

  /** What was prepared for the snapshot in force. */
  get current(): Tables {
    return { sticks: this.sticks.current, limits: this.limits.current };
  }

  /** A worker is no more. */
  reclaim(worker: number): void {
    this.sticks.reclaim(worker);
    this.limits.reclaim(worker);
  }
}
