/**
 * From what the keeper knows to how well this node is for one instance. Pure: facts in, verdict out.
 */
import type { TrackConfig } from "../config/track_schema.ts";
import { evaluateTracks, type Tracked, type TrackVerdict } from "../../vrrp/track.ts";

/** No heartbeat for so long: five missed, and still long before it is killed. */
export const SILENT_MS = 1000;

/** What the keeper knows of its balancer. */
export interface BalancerFacts {
  /** A configuration is in force. */
  readonly serving: boolean;
  /** In words, when it is not serving. */
  readonly state: string;
  /** When it was last heard, on the keeper's clock. */
  readonly heardAt: number;
  /** By name; empty: none has been told yet. */
  readonly pools: ReadonlyMap<string, { readonly healthy: number; readonly servers: number }>;
}

/** What it knows of the kernel's rules. */
export interface KernelFacts {
  /** Names of the listeners that the kernel forwards. */
  readonly listeners: readonly string[];
  /** Names of the pools that they lead to. */
  readonly pools: readonly string[];
  /** Why it does not; null: it does. */
  readonly problem: string | null;
  /** There is no other listener: the address is of use without a balancer. */
  readonly alone: boolean;
}

/** What was found of a program, a file or a process. */
export interface Answer {
  /** Null: not known yet. */
  readonly ok: boolean | null;
  readonly reason: string;
  /** Of a file that holds a number. */
  readonly value?: number;
}

export interface Sources {
  readonly balancer: BalancerFacts;
  readonly kernel: KernelFacts;
  /** How many servers of each pool the active node finds well, as it told; null: that is this node. */
  readonly elsewhere: ReadonlyMap<string, number> | null;
  readonly linkUp: (device: string) => boolean;
  readonly answer: (track: TrackConfig) => Answer;
  readonly keepsInterval: boolean;
  readonly timerLagMs: number;
}

/** How well this node is, for an instance that tracks this. */
export function verdictOf(tracks: readonly TrackConfig[], sources: Sources, now: number): TrackVerdict {
  const balancer = judgeBalancer(tracks, sources.balancer, now);
  return evaluateTracks({
    tracked: [
      ...tracks.map((track) => trackedOf(track, sources, balancer.ok)),
      ...untoldListeners(tracks, sources.kernel),
      ...forwardedPools(sources),
    ],
    balancer: { ...balancer, needed: !sources.kernel.alone },
    timers: {
      ok: sources.keepsInterval,
      reason: `up to ${Math.round(sources.timerLagMs)} ms late: this node cannot keep its interval`,
    },
  });
}

/** A node whose kernel does not forward what it is to is unwell, whether that is tracked or not. */
function untoldListeners(tracks: readonly TrackConfig[], { listeners, problem }: KernelFacts): Tracked[] {
  if (problem === null) return [];
  const told = new Set(tracks.flatMap((track) => track.kind === "listener" ? [track.name] : []));
  return listeners.filter((name) => !told.has(name)).map((name) => (
    { kind: "listener", name, ok: false, reason: problem, weight: null, fault: false, invert: false }
  ));
}

/**
 * A node that finds fewer servers well than the one that is active, as it was cut off until now, say, would break
 * connections of what the kernel forwards: it does not take the address back before it finds as many.
 */
function forwardedPools({ kernel, balancer, elsewhere }: Sources): Tracked[] {
  return kernel.pools.map((name) => ({
    kind: "pool",
    name,
    healthy: balancer.pools.get(name)?.healthy ?? null,
    minHealthy: elsewhere === null ? 0 : Math.max(1, elsewhere.get(name) ?? 0),
    weight: null,
  }));
}

function judgeBalancer(
  tracks: readonly TrackConfig[],
  { serving, state, heardAt, pools }: BalancerFacts,
  now: number,
): { ok: boolean; reason: string } {
  if (!serving) return { ok: false, reason: state };
  const silentMs = now - heardAt;
  if (silentMs > SILENT_MS) return { ok: false, reason: `no heartbeat for ${Math.floor(silentMs / 1000)} s` };
  // Only of one that has just started: of a pool that a reload added nothing is known, neither good nor bad.
  if (pools.size === 0 && tracks.some(({ kind }) => kind === "pool")) {
    return { ok: false, reason: "has not told of its pools yet" };
  }
  return { ok: true, reason: "" };
}

function trackedOf(
  track: TrackConfig,
  { balancer, kernel, linkUp, answer }: Sources,
  serves: boolean,
): Tracked {
  const { weight, fault = false, invert = false } = track;
  const common = { weight, fault, invert };
  switch (track.kind) {
    case "pool": {
      const healthy = balancer.pools.get(track.name)?.healthy ?? null;
      return { kind: "pool", name: track.name, healthy, minHealthy: track.minHealthy, ...common };
    }
    case "interface":
      return { kind: "interface", name: track.name, up: linkUp(track.name), ...common };
    case "listener": {
      const { name } = track;
      const verdict = kernel.listeners.includes(name)
        ? { ok: kernel.problem === null, reason: kernel.problem ?? "" }
        : { ok: serves, reason: "the balancer does not serve" };
      return { kind: "listener", name, ...verdict, ...common };
    }
    case "exec":
      return { kind: "exec", name: track.command[0]!, ...answer(track), ...common };
    case "number": {
      const { value = null, reason } = answer(track);
      return { kind: "number", name: track.name, value, reason, ...common };
    }
    case "file":
    case "process":
      return { kind: track.kind, name: track.name, ...answer(track), ...common };
  }
}
