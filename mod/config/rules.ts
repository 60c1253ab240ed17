/**
 * What must hold over several fields of a configuration whose fields are good by themselves. Pure.
 *
 * Parts that lost something to an earlier error are left alone: what seems wrong there may be the cut.
 */
import type { Accounts } from "../base/accounts.ts";
import { checkAdmin } from "./admin_rules.ts";
import { checkCacheStore } from "./cache_rules.ts";
import { checkFunctions } from "./function_rules.ts";
import { checkCapacity } from "./capacity_rules.ts";
import type { Environment } from "./environment.ts";
import type { PathKind } from "./file_paths.ts";
import { checkKernel } from "./kernel_rules.ts";
import { checkListeners } from "./listener_rules.ts";
import { checkPools } from "./pool_rules.ts";
import { type Finding, formatPath, type Path } from "./problem.ts";
import type { Config } from "./schema.ts";
import { nodeAt, sourceOf, type TreeNode } from "./tree.ts";
import type { Damage } from "./validate.ts";
import type { NodeRouter } from "./vrrp_nodes.ts";
import { checkVrrp } from "./vrrp_rules.ts";

/** Which node the configuration is for, and what the file says of all of them. */
export interface NodeFacts {
  /** Null: for none in particular. */
  readonly node: string | null;
  readonly nodes: readonly string[];
  readonly routers: readonly NodeRouter[];
  /** Null: nobody knows. */
  readonly accounts: Accounts | null;
  /** What is at a path of the configuration. */
  readonly pathKind: PathKind;
  readonly env: Environment;
}

export class RuleContext {
  readonly config: Config;
  readonly node: string | null;
  readonly nodes: readonly string[];
  readonly routers: readonly NodeRouter[];
  readonly accounts: Accounts | null;
  readonly pathKind: PathKind;
  readonly env: Environment;
  readonly #tree: TreeNode;
  readonly #damage: Damage;
  readonly #findings: Finding[];

  constructor(config: Config, tree: TreeNode, damage: Damage, findings: Finding[], facts: NodeFacts) {
    this.config = config;
    this.node = facts.node;
    this.nodes = facts.nodes;
    this.routers = facts.routers;
    this.accounts = facts.accounts;
    this.pathKind = facts.pathKind;
    this.env = facts.env;
    this.#tree = tree;
    this.#damage = damage;
    this.#findings = findings;
  }

  /** `part`: what of the value is meant, when not all of it. */
  error(path: Path, message: string, at: "key" | "value" = "value", part?: string): void {
    const finding = { severity: "error" as const, path: sourceOf(this.#tree, path), at, message };
    this.#findings.push(part === undefined ? finding : { ...finding, part });
  }

  warn(path: Path, message: string, at: "key" | "value" = "value"): void {
    this.#findings.push({ severity: "warning", path: sourceOf(this.#tree, path), at, message });
  }

  /** A path as it stands in the file, for a message. */
  show(path: Path): string {
    return formatPath(sourceOf(this.#tree, path));
  }

  /** True when the file says something here, so that it is not a default. */
  given(path: Path): boolean {
    return nodeAt(this.#tree, path) !== undefined;
  }

  /** True when nothing had to be cut out of this part of the file. */
  whole(path: Path): boolean {
    return !this.#damage.at(path);
  }
}

/** Adds what is wrong, and what is only strange. */
export function checkRules(context: RuleContext): void {
  checkListeners(context);
  checkCacheStore(context);
  checkAdmin(context);
  checkKernel(context);
  checkPools(context);
  checkFunctions(context);
  checkCapacity(context);
  checkVrrp(context);
}

/** Calls back for every item that has the same key as an earlier one. */
export function eachRepeated<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  found: (index: number, first: number) => void,
): void {
  const first = new Map<string, number>();
  for (const [at, item] of items.entries()) {
    const seen = first.get(keyOf(item));
    if (seen === undefined) first.set(keyOf(item), at);
    else found(at, seen);
  }
}
