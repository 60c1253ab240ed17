/**
 * What differs between two snapshots, by name: for the log of a reload, and for whoever asks what one would change.
 *
 * Rows and slots of shared memory are no difference: they are where a thing is counted, not what it is. Pure.
 */
import type { Snapshot } from "./snapshot.ts";

export interface NamesDiff {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly ChangedItem[];
}

export interface ChangedItem {
  readonly name: string;
  /** What of it differs, as it is called in a snapshot (`servers`, `timeouts`). */
  readonly fields: readonly string[];
}

export interface SnapshotDiff {
  readonly listeners: NamesDiff;
  readonly pools: NamesDiff;
  readonly log: boolean;
  readonly tracing: boolean;
}

type Item = { readonly name: string };

/** Compares by meaning: the same listeners and pools in another order do not differ. */
export function diffSnapshots(before: Snapshot, after: Snapshot): SnapshotDiff {
  return {
    listeners: diffNames(before.listeners, after.listeners),
    pools: diffNames(before.pools, after.pools),
    log: contentOf(before.log) !== contentOf(after.log),
    tracing: contentOf(before.tracing) !== contentOf(after.tracing),
  };
}

/** One line per kind of change as fields of a log line; empty when nothing differs. */
export function describeDiff(
  { listeners, pools, log, tracing }: SnapshotDiff,
): Record<string, readonly string[]> {
  const words = (items: readonly ChangedItem[]) =>
    items.map(({ name, fields }) => `${name}(${fields.join(" ")})`);
  const all: Record<string, readonly string[]> = {
    listenersAdded: listeners.added,
    listenersRemoved: listeners.removed,
    listenersChanged: words(listeners.changed),
    poolsAdded: pools.added,
    poolsRemoved: pools.removed,
    poolsChanged: words(pools.changed),
    alsoChanged: [...log ? ["log"] : [], ...tracing ? ["tracing"] : []],
  };
  return Object.fromEntries(Object.entries(all).filter(([, names]) => names.length > 0));
}

/** Compares two lists by the names and the contents of their items. */
export function diffNames(before: readonly Item[], after: readonly Item[]): NamesDiff {
  const old = new Map(before.map((item) => [item.name, item]));
  const names = new Set(after.map(({ name }) => name));
  const changed = after.flatMap((item) => {
    const former = old.get(item.name);
    const fields = former === undefined ? [] : fieldsThatDiffer(former, item);
    return fields.length === 0 ? [] : [{ name: item.name, fields }];
  });
  return {
    added: [...names].filter((name) => !old.has(name)),
    removed: [...old.keys()].filter((name) => !names.has(name)),
    changed,
  };
}

function fieldsThatDiffer(before: Item, after: Item): string[] {
  const [old, now] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  return [...new Set([...now.keys(), ...old.keys()])]
    .filter((key) => !PLACES.has(key) && contentOf(old.get(key)) !== contentOf(now.get(key)));
}

/** Where a thing lies in shared memory. */
const PLACES: ReadonlySet<string> = new Set(["row", "slot"]);

/** Snapshots are built key by key in one order, so their JSON is equal when they are. */
function contentOf(value: unknown): string {
  return JSON.stringify(value, (key, item) => PLACES.has(key) ? undefined : item) ?? "";
}
