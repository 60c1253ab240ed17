/**
 * One instance of this node inside the keeper, and what it was last told of its health.
 */
import type { Runner } from "../../vrrp/runner_io.ts";
import type { TrackVerdict } from "../../vrrp/track.ts";
import { type InstanceSettings, sameSettings } from "./election.ts";
import type { ForeignWatch } from "./foreign_io.ts";

export class Member {
  verdict: TrackVerdict | null = null;
  /** Servers by pool that the active node, another, found well when it last told. */
  elsewhere: ReadonlyMap<string, number> = new Map();
  /** Faults that were told and not cleared. */
  readonly #faults = new Set<string>();

  constructor(public settings: InstanceSettings, readonly foreign: ForeignWatch, readonly runner: Runner) {}

  /** Tells the instance how it is; false: it knows already. */
  judge(verdict: TrackVerdict): boolean {
    if (sameSettings(verdict, this.verdict)) return false;
    this.verdict = verdict;
    const { score, priorityChange, reason, hard } = verdict;
    for (const { what, reason } of hard) {
      this.#faults.add(what);
      this.runner.input({ kind: "hardFault", what, reason });
    }
    for (const what of [...this.#faults]) {
      if (hard.some((fault) => fault.what === what)) continue;
      this.#faults.delete(what);
      this.runner.input({ kind: "faultCleared", what });
    }
    this.runner.input({ kind: "health", score, priorityChange, reason });
    return true;
  }
}
