/**
 * Samples of things of which there may be any number: some have labels of their own, all others are one sample together.
 * Pure.
 */
import type { Labels, Sample } from "./exposition.ts";

const OTHER = "other";

/** Adds up; null: it has no such value. */
export type Join = (one: number, another: number) => number;

const SUM: Join = (one, another) => one + another;

/** Those pools by themselves that `labelled` names, the others as `other`. */
export function poolSamples<Pool extends { readonly name: string }>(
  pools: readonly Pool[],
  labelled: ReadonlySet<string>,
  value: (pool: Pool) => number | null,
  join: Join = SUM,
): Sample[] {
  const labelsOf = ({ name }: Pool) => ({ pool: labelled.has(name) ? name : OTHER });
  return samples(pools, labelsOf, value, join);
}

/** The first `most` by their labels, the others with `other` in each of them. */
export function firstSamples<Item>(
  items: readonly Item[],
  most: number,
  labelsOf: (item: Item) => Labels,
  value: (item: Item) => number,
): Sample[] {
  const beyond = new Set(items.slice(most));
  const others = (labels: Labels) => Object.fromEntries(Object.keys(labels).map((name) => [name, OTHER]));
  const bounded = (item: Item) => beyond.has(item) ? others(labelsOf(item)) : labelsOf(item);
  return samples(items, bounded, value, SUM);
}

function samples<Item>(
  items: readonly Item[],
  labelsOf: (item: Item) => Labels,
  value: (item: Item) => number | null,
  join: Join,
): Sample[] {
  const found = new Map<string, Sample>();
  for (const item of items) {
    const of = value(item);
    if (of === null) continue;
    const labels = labelsOf(item);
    const key = JSON.stringify(labels);
    const before = found.get(key);
    found.set(key, { labels, value: before === undefined ? of : join(before.value, of) });
  }
  return [...found.values()];
}
