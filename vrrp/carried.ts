/**
 * What of the election goes over to a keeper that takes over on the same machine, so that nobody on the LAN notices.
 * Plain data that survives JSON; durations are milliseconds, counted back from the moment it was written down. Pure.
 */
import type { State } from "./events.ts";

export interface CarriedInstance {
  readonly state: State;
  /** Why, and for how long already. */
  readonly reason: string;
  readonly forMs: number;
  readonly wasWell: boolean;
  readonly movedAway: string | null;
  /** The interval of the Active that is followed. */
  readonly followMs: number;
  readonly moves: CarriedMoves;
}

/** See `HoldDown`. */
export interface CarriedMoves {
  readonly level: number;
  readonly agoMs: number;
}

/** The voice on one segment: peers must not have to believe it anew, nor this node them. 64 bits are hexadecimal. */
export interface CarriedVoice {
  readonly incarnation: string;
  /** To go on from; the keeper before stays below it. */
  readonly sequence: number;
  readonly nonces: readonly [string, string];
  readonly peers: readonly CarriedPeer[];
}

export interface CarriedPeer {
  readonly node: string;
  readonly incarnation: string;
  readonly sequence: number;
  readonly timestampMs: number;
  readonly nonce: string;
  readonly retired: readonly string[];
}

/** For JSON, which has no integers of 64 bits. */
export function hex(value: bigint): string {
  return value.toString(16);
}

export function fromHex(text: string): bigint {
  return BigInt(`0x${text}`);
}
