/**
 * YAML text to plain values with the standard library's parser: the only reader on the good path. Pure.
 *
 * It stops at its first error and keeps no positions; `yaml_positions.ts` is asked for those when something is wrong.
 */
// @ts-types="./std_yaml.d.ts"
import { parse, YamlSyntaxError } from "@std/yaml";
import type { SyntaxFault } from "./problem.ts";

/** The one fault that the second reader cannot tell better. */
export const TOO_DEEP: SyntaxFault = { offset: 0, length: 1, message: "is nested too deeply" };

/** The document's value, or the first fault. */
export function parseYaml(text: string): { value: unknown } | { fault: SyntaxFault } {
  try {
    return { value: parse(text) };
  } catch (error) {
    // A document nested ten thousand deep exhausts the parser's stack.
    if (error instanceof RangeError) {
      return { fault: TOO_DEEP };
    }
    if (error instanceof YamlSyntaxError) return { fault: faultOf(error.message, text) };
    throw error;
  }
}

/** The parser's message ends in "at line 2, column 1:" and an excerpt. */
function faultOf(message: string, text: string): SyntaxFault {
  const match = /^([^]*?) at line (\d+), column (\d+)/.exec(message);
  const said = (match?.[1] ?? message.split("\n", 1)[0]!).replace(/^./, (first) => first.toLowerCase());
  let offset = 0;
  for (let line = Number(match?.[2] ?? 1); line > 1; line--) {
    const end = text.indexOf("\n", offset);
    if (end < 0) break;
    offset = end + 1;
  }
  return { offset: offset + Number(match?.[3] ?? 1) - 1, length: 1, message: said };
}
