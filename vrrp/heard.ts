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
}
