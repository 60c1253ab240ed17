/**
 * Checks that stand under `checks` and that pools call by name: put where they are called, before the schema sees the
 * tree, so that everything after it knows only checks of pools, and a problem is told where the check stands. Pure.
 */
import { NAME } from "./fields.ts";
import type { Finding } from "./problem.ts";
import { closest } from "./suggest.ts";
import { childOf, type MapNode, type TreeNode } from "./tree.ts";

/** The tree with every called check in its place; what names none is told, and becomes a check without settings. */
export function placeSharedChecks(tree: MapNode, findings: Finding[]): MapNode {
  const [shared, pools] = [childOf(tree, "checks"), childOf(tree, "pools")];
  const known = shared?.kind === "map" ? shared.entries : new Map<string, TreeNode>();
  const used = new Set<string>();
  const placed = pools?.kind !== "map" ? tree : withEntry(tree, "pools", {
    ...pools,
    entries: new Map([...pools.entries].map(([name, pool]) => [name, placedIn(pool, known, used, findings)])),
  });
  for (const [name, { source }] of known) {
    if (used.has(name)) continue;
    findings.push({ severity: "warning", path: source, at: "key", message: "is used by no pool" });
  }
  return placed;
}

function placedIn(
  pool: TreeNode,
  known: ReadonlyMap<string, TreeNode>,
  used: Set<string>,
  findings: Finding[],
): TreeNode {
  const check = childOf(pool, "check");
  if (pool.kind !== "map" || check?.kind !== "scalar") return pool;
  const { value: name, source } = check;
  // What is no name is the schema's to tell.
  if (typeof name !== "string" || !NAME.test(name)) return pool;
  used.add(name);
  const node = known.get(name);
  if (node !== undefined) return withEntry(pool, "check", copyOf(node));
  findings.push({ severity: "error", path: source, at: "value", message: noSuchCheck(name, known) });
  return withEntry(pool, "check", { kind: "map", source, entries: new Map() });
}

function noSuchCheck(name: string, known: ReadonlyMap<string, TreeNode>): string {
  if (known.size === 0) return `names no check: "${name}" (there are none under checks)`;
  const near = closest(name, known.keys());
  return `names no check: "${name}"` +
    (near === null ? ` (known: ${[...known.keys()].join(", ")})` : `; did you mean "${near}"?`);
}

function withEntry(map: MapNode, key: string, node: TreeNode): MapNode {
  return { ...map, entries: new Map([...map.entries, [key, node]]) };
}

/** Each pool has its own, as what is wrong is cut out of trees. */
function copyOf(node: TreeNode): TreeNode {
  if (node.kind === "scalar") return node;
  if (node.kind === "list") return { ...node, items: node.items.map(copyOf) };
  return { ...node, entries: new Map([...node.entries].map(([key, child]) => [key, copyOf(child)])) };
}
