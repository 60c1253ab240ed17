/**
 * The configuration as a tree whose every node knows where it came from, so that overlays can be merged and a
 * problem still points at the line that caused it.
 *
 * A YAML document is a graph: aliases can make it endless or exponentially large. The tree is a copy within bounds,
 * and everything after it walks only trees. Pure.
 */
import { type Finding, type Path, quoteText } from "./problem.ts";

export interface ScalarNode {
  readonly kind: "scalar";
  readonly source: Path;
  readonly value: unknown;
}
export interface ListNode {
  readonly kind: "list";
  readonly source: Path;
  readonly items: TreeNode[];
}
export interface MapNode {
  readonly kind: "map";
  readonly source: Path;
  readonly entries: Map<string, TreeNode>;
}
export type TreeNode = ScalarNode | ListNode | MapNode;

/** The schema is less than ten levels deep. */
const MAX_DEPTH = 32;
/** Thousands of routes and servers fit; a bomb of aliases does not. */
const MAX_NODES = 200_000;

/** Copies a parsed value into a tree; `root` is its path in the file. Null when it breaks a bound (one finding). */
export function treeOf(value: unknown, root: Path, findings: Finding[]): TreeNode | null {
  let nodes = 0;
  const error = (path: Path, at: "key" | "value", message: string) => {
    findings.push({ severity: "error", path, at, message });
  };
  const copy = (value: unknown, source: Path): TreeNode | null => {
    if (++nodes > MAX_NODES) {
      return error(root, "value", `has more than ${MAX_NODES} values (aliases?)`), null;
    }
    if (source.length - root.length > MAX_DEPTH) {
      return error(source, "value", `is nested more than ${MAX_DEPTH} levels deep`), null;
    }
    if (Array.isArray(value)) {
      const items: TreeNode[] = [];
      for (const [at, item] of value.entries()) {
        const node = copy(item, [...source, at]);
        if (node === null) return null;
        items.push(node);
      }
      return { kind: "list", source, items };
    }
    if (!isPlainObject(value)) return { kind: "scalar", source, value };
    const entries = new Map<string, TreeNode>();
    for (const [key, item] of Object.entries(value)) {
      const path = [...source, key];
      // As a key of a plain object it would set the prototype.
      if (key === "__proto__") error(path, "key", "is not a key that can be used");
      const node = copy(item, path);
      if (node === null) return null;
      if (key !== "__proto__") entries.set(key, node);
    }
    return { kind: "map", source, entries };
  };
  return copy(value, root);
}

/** The plain value of a tree, for the schema. */
export function plainOf(node: TreeNode): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(plainOf);
  return Object.fromEntries([...node.entries].map(([key, child]) => [key, plainOf(child)]));
}

/** The node at a path below `root`, or undefined. */
export function nodeAt(root: TreeNode, path: Path): TreeNode | undefined {
  let node: TreeNode | undefined = root;
  for (const step of path) node = node === undefined ? undefined : childOf(node, step);
  return node;
}

/** Where a path stands in the source; of a value that is missing, where it would stand. */
export function sourceOf(root: TreeNode, path: Path): Path {
  let node: TreeNode = root;
  for (const [at, step] of path.entries()) {
    const child = childOf(node, step);
    if (child === undefined) return [...node.source, ...path.slice(at)];
    node = child;
  }
  return node.source;
}

export function childOf(node: TreeNode, step: string | number): TreeNode | undefined {
  if (node.kind === "map") return node.entries.get(String(step));
  return node.kind === "list" ? node.items[Number(step)] : undefined;
}

/** A value as a person would name it. */
export function describeNode(node: TreeNode): string {
  if (node.kind !== "scalar") return node.kind === "list" ? "a list" : "a map";
  const value = node.value;
  if (value === null || value === undefined) return "an empty value";
  if (typeof value === "string") return quoteText(value);
  if (typeof value === "number" || typeof value === "boolean") return `${value}`;
  return value instanceof Date ? "a date (put it in quotes)" : "a value of another kind (put it in quotes)";
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
