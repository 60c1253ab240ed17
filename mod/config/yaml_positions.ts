/**
 * Where things stand in a YAML text, and every syntax error in it: a second reader that keeps positions, used only
 * when there is something to report. Pure.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type { Path, Positions, Span, SyntaxFault } from "./problem.ts";

type Found = { readonly key: Span; readonly node: Node | null };

/** Positions in a text, and the faults that this reader sees (it may be stricter or laxer than the first). */
export function readPositions(text: string): { positions: Positions; faults: SyntaxFault[] } {
  try {
    const options = {
      lineCounter: new LineCounter(),
      prettyErrors: false,
      logLevel: "silent",
      merge: true,
    } as const;
    const document = parseDocument(text, options);
    const faults = document.errors.map(({ pos: [start, end], message }) => ({
      offset: start,
      length: Math.max(1, end - start),
      message: message.split("\n", 1)[0]!.replace(/^./, (first) => first.toLowerCase()),
    }));
    return { positions: { find: (path, at) => find(document, path, at) }, faults };
  } catch (error) {
    // A text nested ten thousand deep exhausts the reader's stack.
    if (error instanceof RangeError) return { positions: { find: () => ({ start: 0, end: 1 }) }, faults: [] };
    throw error;
  }
}

function find(document: Document, path: Path, at: "key" | "value"): Span {
  let found: Found = { key: { start: 0, end: 1 }, node: document.contents as Node | null };
  for (const step of path) {
    const next = descend(document, found.node, step, 0);
    if (next === null) return found.key;
    found = next;
  }
  return at === "key" ? found.key : spanOf(found.node) ?? found.key;
}

/** Aliases to aliases and merges of merges end somewhere in an honest file. */
const MAX_HOPS = 16;

function descend(document: Document, node: Node | null, step: string | number, hops: number): Found | null {
  if (node === null || hops > MAX_HOPS) return null;
  if (isAlias(node)) return descend(document, node.resolve(document) ?? null, step, hops + 1);
  if (isSeq(node)) {
    const item = node.items[Number(step)] as Node | undefined;
    return item === undefined ? null : { key: spanOf(item) ?? { start: 0, end: 1 }, node: item };
  }
  if (!isMap(node)) return null;
  for (const pair of node.items) {
    const key = pair.key as Node;
    if (nameOfKey(document, key) === String(step)) {
      return { key: spanOf(key) ?? { start: 0, end: 1 }, node: pair.value as Node | null };
    }
  }
  for (const pair of node.items) {
    if (!isScalar(pair.key) || !isMergeKey(pair.key.value)) continue;
    const merged = pair.value as Node | null;
    for (const source of isSeq(merged) ? merged.items as Node[] : [merged]) {
      const found = descend(document, source, step, hops + 1);
      if (found !== null) return found;
    }
  }
  return null;
}

/** Keys that are no text are read as their text by the other reader; null where this one cannot. */
function nameOfKey(document: Document, key: Node | null): string | null {
  if (isScalar(key)) return String(key.value);
  try {
    return String(key?.toJS(document));
  } catch {
    // An alias to nowhere, or to too much.
    return null;
  }
}

function isMergeKey(value: unknown): boolean {
  return value === "<<" || typeof value === "symbol" && value.description === "<<";
}

function spanOf(node: Node | null): Span | null {
  const range = node?.range;
  return range === null || range === undefined
    ? null
    : { start: range[0], end: Math.max(range[0] + 1, range[1]) };
}
