/**
 * Priorities from the order of `owners`, and warnings of settings under which the address can never move.
 *
 * Pure: it sees one instance as configured for all nodes. The codes are part of what `check` prints.
 */
import { OWNER_PRIORITY } from "./timing.ts";

/** Priority of the first owner, and the usual step to the next: room for weights between them. */
const FIRST_PRIORITY = 200;
const STEP = 50;

/** Priority of each owner, in order: 200, 150, 100, 50; closer together when there are more, never below 1. */
export function ownerPriorities(owners: readonly string[]): Map<string, number> {
  const last = owners.length - 1;
  const step = last * STEP < FIRST_PRIORITY ? STEP : (FIRST_PRIORITY - 1) / last;
  return new Map(owners.map((node, at) => [node, Math.max(1, Math.round(FIRST_PRIORITY - at * step))]));
}

export interface InstanceOutline {
  readonly name: string;
  /** Priority of every node that takes part. */
  readonly priorities: ReadonlyMap<string, number>;
  readonly preempt: boolean | number;
  /** What is tracked with a weight. */
  readonly weights: readonly { readonly what: string; readonly weight: number }[];
  /** Pools that are tracked, and how many servers they have; null: not known before they are looked up. */
  readonly pools: readonly {
    readonly pool: string;
    readonly minHealthy: number;
    readonly servers: number | null;
  }[];
}

export type WarningCode = "alone" | "equalPriorities" | "severalOwners" | "idleWeights" | "neverHealthy";

export interface PriorityWarning {
  readonly code: WarningCode;
  readonly message: string;
}

export function priorityWarnings(outline: InstanceOutline): PriorityWarning[] {
  const ranked = [...outline.priorities].sort((a, b) => b[1] - a[1]);
  return [...rankWarnings(ranked), ...weightWarnings(outline, ranked), ...poolWarnings(outline)];
}

function rankWarnings(ranked: readonly [string, number][]): PriorityWarning[] {
  if (ranked.length < 2) {
    return [{ code: "alone", message: "only one node takes part: the address can never fail over" }];
  }
  const warnings: PriorityWarning[] = [];
  for (const [priority, nodes] of byPriority(ranked)) {
    if (nodes.length < 2) continue;
    const names = nodes.join(" and ");
    warnings.push(
      priority === OWNER_PRIORITY
        ? {
          code: "severalOwners",
          message: `${names} all have priority 255: only one node can own the addresses`,
        }
        : {
          code: "equalPriorities",
          message:
            `${names} have the same priority ${priority}: the greater address decides, not the order here`,
        },
    );
  }
  return warnings;
}

function byPriority(ranked: readonly [string, number][]): Map<number, string[]> {
  const groups = new Map<number, string[]>();
  for (const [node, priority] of ranked) groups.set(priority, [...groups.get(priority) ?? [], node]);
  return groups;
}

function weightWarnings(outline: InstanceOutline, ranked: readonly [string, number][]): PriorityWarning[] {
  const [first, second] = ranked;
  if (outline.weights.length === 0 || first === undefined || second === undefined) return [];
  const idle = (message: string): PriorityWarning => ({ code: "idleWeights", message });
  const names = outline.weights.map(({ what, weight }) => `${what} (${weight})`).join(", ");
  if (outline.preempt === false) {
    return [
      idle(
        `preempt is false, so no other node acts on the priority that is changed by the weight of ${names}`,
      ),
    ];
  }
  if (first[1] === OWNER_PRIORITY) {
    return [idle(`${first[0]} has priority 255, which weights do not change: ${names}`)];
  }
  // All of the first node's things bad, all of the second's good: the most that weights can do.
  const loss = outline.weights.reduce((sum, { weight }) => sum + Math.abs(weight), 0);
  if (Math.max(1, first[1] - loss) < second[1]) return [];
  const left = `priority ${first[1]} less ${loss} is not below ${second[1]} of ${second[0]}`;
  return [idle(`the weights can never move the address from ${first[0]}: ${left} (${names})`)];
}

function poolWarnings(outline: InstanceOutline): PriorityWarning[] {
  return outline.pools.flatMap(({ pool, minHealthy, servers }): PriorityWarning[] => {
    if (servers === null || minHealthy <= servers) return [];
    const message =
      `pool ${pool} has ${servers} servers and minHealthy is ${minHealthy}: it is never healthy`;
    return [{ code: "neverHealthy", message }];
  });
}
