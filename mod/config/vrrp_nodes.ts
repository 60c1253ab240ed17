/**
 * The nodes that a file is for, and what each of them is in every instance of the election: read from the tree before
 * the schema sees it, as the schema sees only one node's part. What is malformed is passed over here. Pure.
 */
import { parseIp } from "../base/address.ts";
import { ownerPriorities } from "../../vrrp/priorities.ts";
import { type Environment, expandEnvironment } from "./environment.ts";
import { applyOverlays, overlayNames } from "./overlay.ts";
import { ownersIn, textsOf } from "./owners.ts";
import { childOf, type MapNode, type TreeNode } from "./tree.ts";

/** Every node that has an overlay or is an owner. */
export function nodeNames(root: TreeNode): string[] {
  return [...new Set([...overlayNames(root, "nodes"), ...ownersIn(root)])];
}

/** What one node is in one instance. */
export interface NodeRouter {
  readonly node: string;
  readonly instance: string;
  readonly priority: number;
  /** Null, these: not well-formed. */
  readonly device: string | null;
  readonly routerId: number | null;
  readonly family: 4 | 6 | null;
}

/** All that the file tells, node by node. */
export function nodeRouters(root: MapNode, context: string | null, env: Environment): NodeRouter[] {
  return nodeNames(root).flatMap((node) => {
    const vrrp = childOf(applyOverlays(root, { node, context }, []), "vrrp");
    const instances = vrrp === undefined ? undefined : childOf(expandEnvironment(vrrp, env, []), "instances");
    const items = instances?.kind === "list" ? instances.items : [];
    return items.flatMap((instance) => routerIn(instance, node) ?? []);
  });
}

function routerIn(item: TreeNode, node: string): NodeRouter | null {
  const instance = textOf(childOf(item, "name"));
  const priority = priorityIn(item, node);
  if (instance === null || priority === null) return null;
  const routerId = Number(textOf(childOf(item, "routerId")) ?? NaN);
  return {
    node,
    instance,
    priority,
    device: textOf(childOf(item, "interface")),
    routerId: Number.isInteger(routerId) ? routerId : null,
    family: familyIn(childOf(item, "addresses")),
  };
}

function priorityIn(instance: TreeNode, node: string): number | null {
  const given = Number(textOf(childOf(instance, "priority")) ?? NaN);
  if (Number.isInteger(given)) return given;
  return ownerPriorities(textsOf(childOf(instance, "owners"))).get(node) ?? null;
}

function familyIn(addresses: TreeNode | undefined): 4 | 6 | null {
  const [first] = textsOf(addresses);
  const bytes = parseIp((first ?? "").replace(/\/.*$/, ""));
  return bytes === null ? null : bytes.length === 4 ? 4 : 6;
}

function textOf(node: TreeNode | undefined): string | null {
  if (node?.kind !== "scalar") return null;
  return typeof node.value === "string" || typeof node.value === "number" ? String(node.value) : null;
}
