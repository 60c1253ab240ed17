/**
 * What is remembered of another node: plain data.
 */
import type { Report } from "./report.ts";

/** A peer as last heard. */
export interface HeardPeer {
  readonly node: string;
  readonly address: string;
  readonly seenAt: number;
  readonly clockOffsetMs: number;
  readonly sameConfiguration: boolean;
  /** Null: it has only sent adverts so far. */
  readonly report: Report | null;
  /** By virtual router: since when its reports have told of the same state, as far as we have heard. */
  readonly stateSince: ReadonlyMap<number, number>;
}

/** When the states of a new report began; what was told before goes on. */
export function stateTimes(
  before: Pick<HeardPeer, "report" | "stateSince"> | undefined,
  report: Report,
  now: number,
): ReadonlyMap<number, number> {
  return new Map(report.instances.map(({ vrid, state }) => {
    const same = before?.report?.instances.some((one) => one.vrid === vrid && one.state === state) === true;
    return [vrid, same ? before?.stateSince.get(vrid) ?? now : now];
  }));
}
