/**
 * Names that listeners have, names by which they call pools, and the actions of routes. Read from the tree before the
 * schema sees it, so that they are told at once even when something else about the same listener is wrong. Pure.
 */
import { NAME } from "./fields.ts";
import type { Finding } from "./problem.ts";
import { ACTIONS, besideAction } from "./route_schema.ts";
import { closest } from "./suggest.ts";
import { childOf, type ScalarNode, type TreeNode } from "./tree.ts";

/** Adds names of listeners that are taken already, names of pools that are none, and actions that are too many. */
export function checkReferences(tree: TreeNode, poolNames: ReadonlySet<string>, findings: Finding[]): void {
  const error = ({ source }: ScalarNode, message: string) => {
    findings.push({ severity: "error", path: source, at: "value", message });
  };
  const names = new Set<string>();
  for (const listener of itemsOf(childOf(tree, "listeners"))) {
    const name = nameAt(listener, "name");
    if (name !== null && names.has(name.value)) {
      error(name, `is the name of another listener already: "${name.value}"`);
    }
    if (name !== null) names.add(name.value);
    const routes = itemsOf(childOf(listener, "routes"));
    for (const route of routes) checkActions(route, findings);
    const beside = routes.flatMap((route) => [childOf(route, "mirror"), childOf(route, "fallback")])
      .filter((one) => one !== undefined);
    for (const place of [listener, ...routes, ...beside]) {
      const pool = nameAt(place, "pool");
      if (pool !== null && !poolNames.has(pool.value)) error(pool, noSuchPool(pool.value, poolNames));
      for (const next of nextsOf(place)) {
        if (!poolNames.has(next.value)) error(next, noSuchPool(next.value, poolNames));
      }
      for (const [key, { source }] of sharesOf(place)) {
        if (poolNames.has(key)) continue;
        findings.push({ severity: "error", path: source, at: "key", message: noSuchPool(key, poolNames) });
      }
    }
  }
}

/** The schema says the same where it comes so far. */
function checkActions(route: TreeNode, findings: Finding[]): void {
  const [first, ...more] = ACTIONS.filter((key) => childOf(route, key) !== undefined);
  for (const key of more) {
    const { source } = childOf(route, key)!;
    findings.push({ severity: "error", path: source, at: "key", message: besideAction(first!) });
  }
}

function noSuchPool(name: string, known: ReadonlySet<string>): string {
  if (known.size === 0) return `names no pool: "${name}" (there are none)`;
  const near = closest(name, known);
  const hint = near === null ? ` (known: ${[...known].join(", ")})` : `; did you mean "${near}"?`;
  return `names no pool: "${name}"${hint}`;
}

/** The pools that a route splits its requests between, with their weights. */
function sharesOf(route: TreeNode): [string, TreeNode][] {
  const split = childOf(route, "split");
  const pools = split === undefined ? undefined : childOf(split, "pools");
  return pools?.kind === "map" ? [...pools.entries].filter(([key]) => NAME.test(key)) : [];
}

/** The pools that a function may pass requests on to: one or a list. */
function nextsOf(route: TreeNode): readonly NamedNode[] {
  const next = childOf(route, "function");
  const given = next === undefined ? undefined : childOf(next, "next");
  const nodes = given === undefined ? [] : given.kind === "list" ? given.items : [given];
  return nodes.flatMap((node) => named(node) ?? []);
}

function itemsOf(node: TreeNode | undefined): readonly TreeNode[] {
  return node?.kind === "list" ? node.items : [];
}

type NamedNode = ScalarNode & { readonly value: string };

function nameAt(node: TreeNode, key: string): NamedNode | null {
  return named(childOf(node, key));
}

/** A name that is well-formed; what is not is the schema's to tell. */
function named(node: TreeNode | undefined): NamedNode | null {
  if (node?.kind !== "scalar" || typeof node.value !== "string" || !NAME.test(node.value)) return null;
  return { ...node, value: node.value };
}
