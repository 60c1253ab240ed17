/**
 * What the schema library found, in words: what is wrong, what is allowed, what was perhaps meant. Pure.
 */
import type { z } from "zod";
import { type JsonSchema, keysAt, schemasAt } from "./json_schema.ts";
import type { Path } from "./problem.ts";
import { closest } from "./suggest.ts";
import { describeNode, nodeAt, type TreeNode } from "./tree.ts";

type Issue = z.core.$ZodIssue;

/** A finding of the schema; the path is the merged tree's. */
export interface Explained {
  readonly path: Path;
  readonly at: "key" | "value";
  readonly message: string;
  /** True when several fields together are wrong, so that each may be right. */
  readonly across: boolean;
  /** What of the value is meant; absent: all of it. */
  readonly part?: string;
}

/** One issue as findings: each unknown key by itself, a choice between forms by the form that was meant. */
export function explainIssue(issue: Issue, tree: TreeNode, schema: JsonSchema, base: Path = []): Explained[] {
  const path = [...base, ...issue.path as (string | number)[]];
  const node = nodeAt(tree, path);
  const across = issue.code === "custom" && issue.params?.["across"] === true;
  const part = issue.code === "custom" ? issue.params?.["part"] : undefined;
  const at = issue.code === "custom" && issue.params?.["at"] === "key" ? "key" : "value";
  const value = (message: string): Explained[] => [
    { path, at, message, across, ...(typeof part === "string" ? { part } : {}) },
  ];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: [...path, key],
      at: "key",
      message: unknownKey(path, key, schema),
      across,
    }));
  }
  if (issue.code === "invalid_key") {
    return [{ path, at: "key", message: issue.issues[0]?.message ?? issue.message, across }];
  }
  if (node === undefined && issue.code !== "custom") return value(required(path, schema));
  if (node?.kind === "scalar" && node.value === null) {
    return value("is empty: give it a value or remove the key");
  }
  if (issue.code === "invalid_union") {
    const branch = meantBranch(issue.errors);
    if (branch !== null) return branch.flatMap((inner) => explainIssue(inner, tree, schema, path));
    const forms = [...new Set(issue.errors.flatMap((errors) => rootErrors(errors).map(formOf)))];
    return value(`must be ${forms.join(" or ")}${butIs(node)}`);
  }
  if (issue.code === "invalid_value") return value(badChoice(issue.values, node));
  if (issue.code === "invalid_type") return value(`must be ${formOf(issue)}${butIs(node)}`);
  const shown = node?.kind === "scalar" && issue.code !== "custom" && !isSecret(path, schema);
  return value(shown ? issue.message + butIs(node) : issue.message);
}

/** The form of a union whose outer type fits; null when none or several do. */
function meantBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | null {
  const fitting = branches.filter((errors) => rootErrors(errors).length === 0);
  const nested = fitting.length > 0
    ? fitting
    : branches.filter((errors) => rootErrors(errors).every(isInnerUnion));
  return nested.length === 1 ? nested[0]! : null;
}

/** The issues that say the value as a whole is of another type. */
function rootErrors(errors: readonly Issue[]): Issue[] {
  const wrongForm = ["invalid_type", "invalid_value", "invalid_union"];
  return errors.filter((error) => error.path.length === 0 && wrongForm.includes(error.code));
}

function isInnerUnion(issue: Issue): boolean {
  return issue.code === "invalid_union" && meantBranch(issue.errors) !== null;
}

const FORMS: Readonly<Record<string, string>> = {
  array: "a list",
  object: "a map",
  record: "a map",
  string: "text (in quotes if it looks like something else)",
  int: "a whole number",
  number: "a number",
  boolean: "true or false",
  null: "empty",
};

function formOf(issue: Issue): string {
  if (issue.code === "invalid_union") {
    return [...new Set(issue.errors.flatMap((errors) => rootErrors(errors).map(formOf)))].join(" or ");
  }
  if (issue.code === "invalid_value") return issue.values.map((word) => `"${String(word)}"`).join(", ");
  // A field with a text of its own says better what it wants.
  if (issue.message.startsWith("must be ")) return issue.message.slice("must be ".length);
  return issue.code === "invalid_type" ? FORMS[issue.expected] ?? issue.expected : issue.message;
}

function butIs(node: TreeNode | undefined): string {
  return node === undefined ? "" : `, not ${describeNode(node)}`;
}

function badChoice(values: readonly unknown[], node: TreeNode | undefined): string {
  const value = node?.kind === "scalar" ? node.value : undefined;
  const words = values.map(String);
  const allowed = words.length === 1 ? `"${words[0]}"` : `one of ${words.join(", ")}`;
  const near = typeof value === "string" ? closest(value, words) : null;
  return `must be ${allowed}${butIs(node)}${near === null ? "" : `; did you mean "${near}"?`}`;
}

function unknownKey(path: Path, key: string, schema: JsonSchema): string {
  const known = keysAt(schema, path);
  const near = closest(key, known);
  return `is not a known key${near === null ? ` (known: ${known.join(", ")})` : `; did you mean "${near}"?`}`;
}

/** What a variable holds must not come out in a log. */
function isSecret(path: Path, schema: JsonSchema): boolean {
  return schemasAt(schema, path).some((one) => one.kind === "secret");
}

function required(path: Path, schema: JsonSchema): string {
  const description = schemasAt(schema, path).find((one) => one.description !== undefined)?.description;
  return `is required${description === undefined ? "" : `: ${description.replace(/\.$/, "")}`}`;
}
