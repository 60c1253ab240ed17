/**
 * JSON and JSONC (comments, trailing commas) to plain values and positions. Pure.
 */
import { getNodeValue, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import type { Path, Positions, Span, SyntaxFault } from "./problem.ts";

const TOO_DEEP: SyntaxFault = { offset: 0, length: 1, message: "is nested too deeply" };

/** The text's value and its positions, or everything that is wrong with it. */
export function parseJson(
  text: string,
): { value: unknown; positions: Positions } | { faults: SyntaxFault[] } {
  try {
    const errors: ParseError[] = [];
    const tree = parseTree(text, errors, { allowTrailingComma: true });
    const faults = errors.map(faultOf);
    if (tree !== undefined) reportDuplicates(tree, faults);
    if (tree === undefined && faults.length === 0) faults.push({ offset: 0, length: 1, message: "is empty" });
    if (tree === undefined || faults.length > 0) return { faults };
    return { value: getNodeValue(tree), positions: { find: (path, at) => find(tree, path, at) } };
  } catch (error) {
    if (error instanceof RangeError) return { faults: [TOO_DEEP] };
    throw error;
  }
}

function faultOf({ error, offset, length }: ParseError): SyntaxFault {
  const words = printParseErrorCode(error).replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return { offset, length, message: `the JSON is malformed:${words}` };
}

function reportDuplicates(node: Node, faults: SyntaxFault[]): void {
  const seen = new Set<unknown>();
  for (const child of node.children ?? []) {
    reportDuplicates(child, faults);
    const key = node.type === "object" ? child.children?.[0] : undefined;
    if (key === undefined) continue;
    if (seen.has(key.value)) {
      faults.push({
        offset: key.offset,
        length: key.length,
        message: `the key "${key.value}" is there twice`,
      });
    }
    seen.add(key.value);
  }
}

function find(root: Node, path: Path, at: "key" | "value"): Span {
  let node = root;
  let key = root;
  for (const [depth, step] of path.entries()) {
    const property = node.type === "object"
      ? node.children?.find((child) => child.children?.[0]?.value === step)
      : undefined;
    const next = property?.children?.[1] ??
      (node.type === "array" ? node.children?.[Number(step)] : undefined);
    if (next === undefined) return depth === 0 ? { start: 0, end: 1 } : spanOf(key);
    key = property?.children?.[0] ?? next;
    node = next;
  }
  return spanOf(at === "key" ? key : node);
}

function spanOf(node: Node): Span {
  return { start: node.offset, end: node.offset + node.length };
}
