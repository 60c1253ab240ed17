/**
 * `${NAME}` and `${NAME:-default}` in values. Runs on the tree, after YAML: what a variable holds is always text and
 * never becomes structure. `$${` stands for `${`. Pure: the environment is a function.
 */
import type { Finding } from "./problem.ts";
import type { MapNode, TreeNode } from "./tree.ts";

export type Environment = (name: string) => string | undefined;

const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g;
const ESCAPE_HINT = "(write $${ for a plain ${)";
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A copy of the tree with every reference replaced; each one that cannot be is a finding. */
export function expandEnvironment(node: MapNode, env: Environment, findings: Finding[]): MapNode;
export function expandEnvironment(node: TreeNode, env: Environment, findings: Finding[]): TreeNode;
export function expandEnvironment(node: TreeNode, env: Environment, findings: Finding[]): TreeNode {
  if (node.kind === "list") {
    return { ...node, items: node.items.map((item) => expandEnvironment(item, env, findings)) };
  }
  if (node.kind === "map") {
    const expand = ([key, child]: [string, TreeNode]) =>
      [key, expandEnvironment(child, env, findings)] as const;
    return { ...node, entries: new Map([...node.entries].map(expand)) };
  }
  if (typeof node.value !== "string" || !node.value.includes("${")) return node;
  const before = findings.length;
  const value = node.value.replace(REFERENCE, (whole: string, inner: string | undefined, close: string) => {
    if (inner === undefined) return "${";
    const result = close === "" ? "has ${ without its } " + ESCAPE_HINT : resolve(inner, env);
    if (typeof result !== "string") return result.value;
    findings.push({ severity: "error", path: node.source, at: "value", message: result, part: whole });
    return "";
  });
  return { ...node, value: findings.length > before ? MISSING : value };
}

/** Stands for a value that a missing variable would have given; already reported, so validation leaves it out. */
export const MISSING = Symbol("missing");

/** The value of what stands between the braces, or what is wrong with it. */
function resolve(inner: string, env: Environment): { value: string } | string {
  const split = inner.indexOf(":-");
  const name = split < 0 ? inner : inner.slice(0, split);
  if (!NAME.test(name)) return `has a malformed variable name "${name}" ${ESCAPE_HINT}`;
  const value = env(name);
  // As in a shell, `:-` also replaces an empty value.
  if (split >= 0) return { value: value === undefined || value === "" ? inner.slice(split + 2) : value };
  return value === undefined ? `needs the environment variable ${name}, which is not set` : { value };
}
