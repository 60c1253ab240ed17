/**
 * The nodes that a file is for, and the priority of each in every instance of the election: read from the tree before
 * the schema sees it, as the schema sees only one node's part. What is malformed is passed over here. Pure.
 */
import { ownerPriorities } from "../../vrrp/priorities.ts";
import { type Environment, expandEnvironment } from "./environment.ts";
import { applyOverlays, overlayNames } from "./overlay.ts";
import { ownersIn, textsOf } from "./owners.ts";
import { childOf, type MapNode, type TreeNode } from "./tree.ts";

/** Every node that has an overlay or is an owner. */
export function nodeNames(root: TreeNode): string[] {
  return [...new Set([...overlayNames(root, "nodes"), ...ownersIn(root)])];
}

/** By the name of the instance, then by the node that takes part in it. */
export type NodePriorities = ReadonlyMap<string, ReadonlyMap<string, number>>;

export function nodePriorities(root: MapNode, context: string | null, env: Environment): NodePriorities {
  const all = new Map<string, Map<string, number>>();
  for (const node of nodeNames(root)) {
    const vrrp = childOf(applyOverlays(root, { node, context }, []), "vrrp");
    const instances = vrrp === undefined ? undefined : childOf(expandEnvironment(vrrp, env, []), "instances");
    for (const instance of instances?.kind === "list" ? instances.items : []) {
      const name = textOf(childOf(instance, "name"));
      const priority = priorityIn(instance, node);
      if (name === null || priority === null) continue;
      all.set(name, (all.get(name) ?? new Map()).set(node, priority));
    }
  }
  return all;
}

function priorityIn(instance: TreeNode, node: string): number | null {
  const given = Number(textOf(childOf(instance, "priority")) ?? NaN);
  if (Number.isInteger(given)) return given;
  return ownerPriorities(textsOf(childOf(instance, "owners"))).get(node) ?? null;
}

function textOf(node: TreeNode | undefined): string | null {
  if (node?.kind !== "scalar") return null;
  return typeof node.value === "string" || typeof node.value === "number" ? String(node.value) : null;
}
