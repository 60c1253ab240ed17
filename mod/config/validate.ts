/**
 * From a tree to a typed configuration, with every problem at once.
 *
 * A schema checks what spans several fields only when the fields themselves are good. So what is wrong is reported,
 * cut out, and the rest is read again, until it is good: then the rules over the whole can still look at it. What
 * lost a part is marked as damaged, so that the cut itself is never reported. Pure.
 */
import { MISSING } from "./environment.ts";
import { type Explained, explainIssue } from "./explain.ts";
import { type JsonSchema, plainSchema } from "./json_schema.ts";
import type { Finding, Path } from "./problem.ts";
import { type Config, ConfigSchema } from "./schema.ts";
import { childOf, type MapNode, nodeAt, plainOf, sourceOf, type TreeNode } from "./tree.ts";

/** Each round cuts at least one level deeper or higher; the schema has less than ten. */
const MAX_ROUNDS = 16;

export interface Validated {
  /** What is good of the configuration; null when not even its frame is. */
  readonly config: Config | null;
  readonly damage: Damage;
}

/** What had to be cut out of a tree. */
export class Damage {
  readonly #tree: TreeNode;
  readonly #wounded = new Set<TreeNode>();
  readonly #lost = new Map<TreeNode, Set<string>>();

  constructor(tree: TreeNode) {
    this.#tree = tree;
    this.#cutMissing([tree]);
  }

  /** True when a part of what stands at the path was cut out, or all of it. */
  at(path: Path): boolean {
    const node = nodeAt(this.#tree, path);
    if (node !== undefined) return this.#wounded.has(node);
    const parent = nodeAt(this.#tree, path.slice(0, -1));
    return parent === undefined || (this.#lost.get(parent)?.has(String(path.at(-1))) ?? false);
  }

  /** Cuts out the last of a chain of nodes from the root down; false when that is the root itself. */
  cut(chain: readonly TreeNode[]): boolean {
    const [parent, node] = chain.slice(-2);
    if (parent === undefined || node === undefined) return false;
    if (parent.kind === "list") {
      const at = parent.items.indexOf(node);
      if (at >= 0) parent.items.splice(at, 1);
    } else if (parent.kind === "map") {
      const key = [...parent.entries].find(([, child]) => child === node)?.[0];
      if (key !== undefined) this.#lose(parent, key);
    }
    for (const ancestor of chain) this.#wounded.add(ancestor);
    return true;
  }

  #lose(parent: MapNode, key: string): void {
    parent.entries.delete(key);
    const lost = this.#lost.get(parent) ?? new Set();
    this.#lost.set(parent, lost.add(key));
  }

  /** Values whose variable is missing have been reported already. */
  #cutMissing(chain: readonly TreeNode[]): void {
    const node = chain.at(-1)!;
    if (node.kind === "scalar") {
      if (node.value === MISSING) this.cut(chain);
      return;
    }
    const children = node.kind === "map" ? node.entries.values() : node.items;
    for (const child of [...children]) this.#cutMissing([...chain, child]);
  }
}

/** Reads the tree, which loses its bad parts. */
export function validateTree(tree: TreeNode, findings: Finding[]): Validated {
  const damage = new Damage(tree);
  let schema: JsonSchema | null = null;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const result = ConfigSchema.safeParse(plainOf(tree));
    if (result.success) return { config: result.data, damage };
    schema ??= plainSchema();
    const words = schema;
    const explained = result.error.issues.flatMap((issue) => explainIssue(issue, tree, words));
    for (const one of explained) {
      if (isOurDoing(one, tree, damage)) continue;
      const { path, at, message, part } = one;
      const where = { severity: "error" as const, path: sourceOf(tree, path), at, message };
      findings.push(part === undefined ? where : { ...where, part });
    }
    const chains = explained.map(({ path }) => chainTo(tree, path));
    if (!chains.map((chain) => damage.cut(chain)).includes(true)) break;
  }
  return { config: null, damage };
}

/** True when the cuts may have caused what seems wrong. */
function isOurDoing({ path, at, across }: Explained, tree: TreeNode, damage: Damage): boolean {
  // An unknown key is wrong whatever was cut out below it.
  if (at === "key" && nodeAt(tree, path) !== undefined) return false;
  return damage.at(path) || (across && damage.at(path.slice(0, -1)));
}

/** The nodes from the root down to the deepest that exists; a missing value stands for its parent. */
function chainTo(tree: TreeNode, path: Path): TreeNode[] {
  const chain = [tree];
  for (const step of path) {
    const child = childOf(chain.at(-1)!, step);
    if (child === undefined) break;
    chain.push(child);
  }
  return chain;
}
