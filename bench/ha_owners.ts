/**
 * Who had the address when: from what `ip -ts -o monitor address` prints in each node's namespace to the time without
 * an owner and the time with two. Pure; times are milliseconds since 1970.
 */

export interface Change {
  readonly at: number;
  readonly node: string;
  readonly has: boolean;
}

export interface Ownership {
  /** No working node had the address. */
  readonly noneMs: number;
  /** Two kernels had the address, whether or not their nodes worked. */
  readonly bothMs: number;
  /** Two kernels had it at the end. */
  readonly bothAtEnd: boolean;
  /** How often the address came to a node. */
  readonly moves: number;
}

const LINE = /^\[(\S+)\] (Deleted )?\d+: \S+\s+inet (\S+)\/\d+/;

/** The changes that a monitor told of one address; renewals of what is there already change nothing. */
export function changesIn(text: string, node: string, address: string): Change[] {
  const changes: Change[] = [];
  let had = false;
  for (const line of text.split("\n")) {
    const [, time, deleted, told] = LINE.exec(line) ?? [];
    if (told !== address || time === undefined) continue;
    const has = deleted === undefined;
    if (has !== had) changes.push({ at: new Date(time).getTime(), node, has });
    had = has;
  }
  return changes;
}

/** Sums up the time between `from` and `until`; `silent` does not work any more from `from` on. */
export function ownership(
  changes: readonly Change[],
  { from, until, silent }: { readonly from: number; readonly until: number; readonly silent: string | null },
): Ownership {
  const owners = new Set<string>();
  let [noneMs, bothMs, moves, last] = [0, 0, 0, from];
  const pass = (at: number) => {
    if (![...owners].some((node) => node !== silent)) noneMs += at - last;
    if (owners.size > 1) bothMs += at - last;
    last = at;
  };
  for (const { at, node, has } of changes.toSorted((a, b) => a.at - b.at)) {
    if (at > until) break;
    if (at > from) pass(at);
    if (at > from && has) moves++;
    if (has) owners.add(node);
    else owners.delete(node);
  }
  pass(until);
  return { noneMs, bothMs, bothAtEnd: owners.size > 1, moves };
}
