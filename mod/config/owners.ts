/**
 * The nodes that the election's instances name as owners: they are nodes of the file, with or without an overlay. Pure.
 */
import { childOf, type TreeNode } from "./tree.ts";

export function ownersIn(root: TreeNode): string[] {
  const vrrp = childOf(root, "vrrp");
  const instances = vrrp === undefined ? undefined : childOf(vrrp, "instances");
  if (instances?.kind !== "list") return [];
  return [...new Set(instances.items.flatMap((instance) => textsOf(childOf(instance, "owners"))))];
}

/** The texts of a list; whatever else it holds is passed over. */
export function textsOf(node: TreeNode | undefined): string[] {
  if (node?.kind !== "list") return [];
  return node.items.flatMap((item) =>
    item.kind === "scalar" && typeof item.value === "string" ? [item.value] : []
  );
}
