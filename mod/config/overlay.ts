/**
 * Overlays: `contexts:` first, then `nodes:`, merged over the rest of the file. Pure.
 *
 * Maps merge key by key, `null` removes, list items are addressed by their name (a map of name to changes, or a list
 * of items with names), anything else replaces. As in JSON Merge Patch (RFC 7396), but for lists with names.
 */
import { ownersIn } from "./owners.ts";
import { closest } from "./suggest.ts";
import type { Finding } from "./problem.ts";
import { childOf, describeNode, type ListNode, type MapNode, type TreeNode } from "./tree.ts";

export interface OverlayChoice {
  /** This node's name; null: without a node's overlay. */
  readonly node: string | null;
  /** null: without a context's overlay. */
  readonly context: string | null;
}

/** The tree with the chosen overlays applied, without `nodes` and `contexts`. */
export function applyOverlays(root: MapNode, choice: OverlayChoice, findings: Finding[]): MapNode {
  const entries = new Map(root.entries);
  entries.delete("nodes");
  entries.delete("contexts");
  let result: MapNode = { ...root, entries };
  const context = choose(root, "contexts", "context", choice.context, findings);
  const nodes = root.entries.get("nodes");
  const unlisted = nodes?.kind === "map" && choice.node !== null && !nodes.entries.has(choice.node);
  // An owner in the election needs no changes of its own to be one of the nodes.
  const wanted = unlisted && (nodes.entries.size === 0 || ownersIn(root).includes(choice.node!))
    ? null
    : choice.node;
  // A file without `nodes` is for any node, but a context that nobody defined is a slip.
  const node = nodes === undefined ? null : choose(root, "nodes", "node", wanted, findings);
  for (const overlay of [context, node]) {
    if (overlay === null) continue;
    for (const key of ["nodes", "contexts"]) {
      const nested = overlay.entries.get(key);
      if (nested === undefined) continue;
      findings.push({
        severity: "error",
        path: nested.source,
        at: "key",
        message: "cannot stand in an overlay",
      });
      overlay.entries.delete(key);
    }
    result = mergeMaps(result, overlay);
  }
  return result;
}

/** The names that a file has overlays for. */
export function overlayNames(root: TreeNode, key: "nodes" | "contexts"): string[] {
  const overlays = childOf(root, key);
  return overlays?.kind === "map" ? [...overlays.entries.keys()] : [];
}

function choose(
  root: MapNode,
  key: string,
  word: string,
  name: string | null,
  findings: Finding[],
): MapNode | null {
  const overlays = root.entries.get(key);
  const error = (node: TreeNode, message: string, at: Finding["at"] = "value") => {
    findings.push({ severity: "error", path: node.source, at, message });
    return null;
  };
  if (overlays !== undefined && overlays.kind !== "map") {
    return error(overlays, `must be a map of ${word} names, not ${describeNode(overlays)}`);
  }
  if (name === null) return null;
  const overlay = overlays?.entries.get(name);
  if (overlay === undefined) {
    const names = [...overlays?.entries.keys() ?? []];
    const near = closest(name, names);
    const known = names.length === 0
      ? "has none"
      : `has ${names.join(", ")}${near === null ? "" : `; did you mean "${near}"?`}`;
    return error(
      overlays ?? root,
      `must name this ${word}, "${name}" (--${word}, TANDEM_${word.toUpperCase()}), and ${known}`,
      "key",
    );
  }
  // `lb1:` with nothing after it: this node has no changes of its own.
  if (overlay.kind === "scalar" && overlay.value === null) return null;
  if (overlay.kind !== "map") return error(overlay, `must be a map of changes, not ${describeNode(overlay)}`);
  return overlay;
}

function merge(base: TreeNode | undefined, overlay: TreeNode): TreeNode {
  if (base === undefined) return overlay;
  if (base.kind === "map" && overlay.kind === "map") return mergeMaps(base, overlay);
  if (base.kind === "list" && overlay.kind === "map") return mergeNamed(base, overlay.entries);
  if (base.kind === "list" && overlay.kind === "list") {
    const named = new Map(overlay.items.map((item) => [nameOf(item), item]));
    const all = overlay.items.every((item) => item.kind === "map" && nameOf(item) !== null);
    if (all && overlay.items.length > 0 && named.size === overlay.items.length) {
      return mergeNamed(base, named as Map<string, TreeNode>);
    }
  }
  return overlay;
}

function mergeMaps(base: MapNode, overlay: MapNode): MapNode {
  const entries = new Map(base.entries);
  for (const [key, change] of overlay.entries) {
    if (isNull(change)) entries.delete(key);
    else entries.set(key, merge(entries.get(key), change));
  }
  return { ...base, entries };
}

function mergeNamed(base: ListNode, changes: ReadonlyMap<string, TreeNode>): ListNode {
  const rest = new Map(changes);
  const items: TreeNode[] = [];
  for (const item of base.items) {
    const name = nameOf(item);
    const change = name === null ? undefined : rest.get(name);
    if (change !== undefined) rest.delete(name!);
    if (change === undefined) items.push(item);
    else if (!isNull(change)) items.push(merge(spelledOut(item, change), change));
  }
  for (const [name, item] of rest) if (!isNull(item)) items.push(withName(item, name));
  return { ...base, items };
}

/** What an item of a list is called: its `name`, or the whole of a short form such as "10.0.0.1:80". */
function nameOf(item: TreeNode): string | null {
  const name = item.kind === "map" ? item.entries.get("name") ?? item.entries.get("address") : item;
  return name?.kind === "scalar" && typeof name.value === "string" ? name.value : null;
}

/** Changes to a server in its short form need the long one. */
function spelledOut(item: TreeNode, change: TreeNode): TreeNode {
  if (item.kind !== "scalar" || change.kind !== "map") return item;
  return { kind: "map", source: item.source, entries: new Map([["address", item]]) };
}

function withName(item: TreeNode, name: string): TreeNode {
  if (item.kind !== "map" || item.entries.has("name")) return item;
  const node: TreeNode = { kind: "scalar", source: item.source, value: name };
  return { ...item, entries: new Map([["name", node], ...item.entries]) };
}

function isNull(node: TreeNode): boolean {
  return node.kind === "scalar" && node.value === null;
}
