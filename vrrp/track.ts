/**
 * What a node's own state means for the election: hard faults, a health score, a priority changed by weights.
 *
 * - Hard: without it the address is of no use here at all (an interface that is down, or what the user calls so). The
 *   node steps down.
 * - With a weight: the user says how much it is worth, as in keepalived; it changes the priority and nothing else.
 * - Soft, all the rest: it lowers the score, and the address moves only to a peer whose score is better.
 *
 * Pure: facts in, verdict out. It knows neither who found the facts nor who the peers are. Both nodes have the same
 * configuration, so that their scores can be compared.
 */
import { FULL_HEALTH } from "./peers.ts";

/** `null` for `ok`, `up` and `value`: not known yet, which speaks neither for nor against. */
export type Tracked =
  & {
    readonly weight: number | null;
    /** Bad is a hard fault. */
    readonly fault?: boolean;
    /** Good is bad, and the other way round. */
    readonly invert?: boolean;
  }
  & (
    | {
      readonly kind: "pool";
      readonly name: string;
      /** Servers that take traffic; null: not probed yet. */
      readonly healthy: number | null;
      readonly minHealthy: number;
    }
    | { readonly kind: "interface"; readonly name: string; readonly up: boolean | null }
    | {
      readonly kind: "listener" | "exec" | "file" | "process";
      readonly name: string;
      readonly ok: boolean | null;
      readonly reason: string;
    }
    /** Counts so many times its weight; the reason is why it cannot be known. */
    | {
      readonly kind: "number";
      readonly name: string;
      readonly value: number | null;
      readonly reason: string;
    }
  );

export interface NodeFacts {
  readonly tracked: readonly Tracked[];
  /** Whether the balancer serves, and why not; only kernel-forwarded listeners do without it. */
  readonly balancer: { readonly ok: boolean; readonly needed: boolean; readonly reason: string };
  /** Whether this node keeps its own interval, and by how much not. */
  readonly timers: { readonly ok: boolean; readonly reason: string };
}

export interface TrackVerdict {
  readonly hard: readonly { readonly what: string; readonly reason: string }[];
  /** 0–100; 100: nothing to complain of. */
  readonly score: number;
  /** Sum of the weights that count now. */
  readonly priorityChange: number;
  /** Of the score, for a person; "" when there is nothing to complain of. */
  readonly reason: string;
}

/** One thing, judged: 1 is good, 0 is bad, null is unknown. */
interface Judged {
  readonly what: string;
  readonly quality: number | null;
  readonly reason: string;
}

const MAX_CHANGE = 253;

export function evaluateTracks(facts: NodeFacts): TrackVerdict {
  const judged = facts.tracked.map((track) => ({ ...inverted(judge(track), track), track }));
  const hard = judged.filter(({ track, quality }) => isHard(track) && quality === 0)
    .map(({ what, reason }) => ({ what, reason }));
  const priorityChange = judged.reduce(
    (sum, { track, quality }) => sum + weightOf(track, quality),
    0,
  );
  const soft: Judged[] = judged.filter(({ track }) => track.weight === null && !isHard(track));
  soft.push({ what: "timers", quality: facts.timers.ok ? 1 : 0, reason: facts.timers.reason });
  const complaints = [
    ...soft.filter(({ quality }) => quality !== null && quality < 1),
    ...judged.filter(({ track }) => track.kind === "number" && track.reason !== ""),
  ];
  const reason = complaints.map(({ what, reason }) => `${what}: ${reason}`).join("; ");
  const { balancer } = facts;
  if (balancer.needed && !balancer.ok) {
    // Nothing is served, whatever else is well.
    const all = [`balancer: ${balancer.reason}`, reason].filter((part) => part !== "");
    return { hard, score: 0, priorityChange, reason: all.join("; ") };
  }
  return { hard, score: scoreOf(soft), priorityChange, reason };
}

/** The mean of what is known; rounded down, so that only a node without a complaint has them all, and never to 0. */
function scoreOf(soft: readonly Judged[]): number {
  const known = soft.flatMap(({ quality }) => quality === null ? [] : [quality]);
  if (known.length === 0) return FULL_HEALTH;
  const mean = known.reduce((sum, quality) => sum + quality, 0) / known.length;
  return Math.max(1, Math.floor(FULL_HEALTH * mean));
}

function isHard(track: Tracked): boolean {
  if (track.kind === "number") return true;
  return track.fault === true || (track.kind === "interface" && track.weight === null);
}

function inverted(judged: Judged, { invert }: Tracked): Judged {
  if (invert !== true || judged.quality === null) return judged;
  return { ...judged, quality: 1 - judged.quality, reason: "is well, which is bad here" };
}

/** A negative weight counts while the thing is bad, a positive one while it is good (as in keepalived). */
function weightOf(track: Tracked, quality: number | null): number {
  const { weight } = track;
  if (track.kind === "number") return clamp((track.value ?? 0) * (weight ?? 1));
  if (weight === null || quality === null) return 0;
  const bad = quality < 1;
  return (weight < 0) === bad ? weight : 0;
}

/** No change of a priority is more than from its lowest to its highest. */
function clamp(change: number): number {
  return Math.max(-MAX_CHANGE, Math.min(MAX_CHANGE, change));
}

function judge(track: Tracked): Judged {
  switch (track.kind) {
    case "pool": {
      const { healthy, minHealthy, name } = track;
      const quality = healthy === null ? null : minHealthy === 0 ? 1 : Math.min(1, healthy / minHealthy);
      const reason = `${healthy ?? "unknown"} healthy, at least ${minHealthy} wanted`;
      return { what: `pool ${name}`, quality, reason };
    }
    case "interface": {
      const quality = track.up === null ? null : Number(track.up);
      return { what: `interface ${track.name}`, quality, reason: "is down" };
    }
    case "number": {
      const { value, weight } = track;
      // As keepalived: what takes more than there is takes the node out.
      const quality = value === null ? null : Number(value * (weight ?? 1) >= -MAX_CHANGE);
      return { what: `number ${track.name}`, quality, reason: track.reason || `is ${value}` };
    }
    default: {
      const quality = track.ok === null ? null : Number(track.ok);
      return { what: `${track.kind} ${track.name}`, quality, reason: track.reason };
    }
  }
}
