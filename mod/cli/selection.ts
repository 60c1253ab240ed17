/**
 * The options that say which configuration is meant: file, node and context.
 */
import type { ParseArgsOptionsConfig } from "node:util";
import { pathKind } from "../config/store_io.ts";
import type { Invocation } from "./command.ts";

export const SELECTION_OPTIONS: ParseArgsOptionsConfig = {
  config: { type: "string", short: "c" },
  node: { type: "string" },
  context: { type: "string" },
};

export const SELECTION_HELP =
  `  -c, --config FILE   YAML, JSON, JSONC, or a deno.json with a "tandem" key (default: tandem.yaml, or
                      a deno.json or deno.jsonc that has the key)
      --node NAME     this node's name (default: $TANDEM_NODE, else the host name)
      --context NAME  overlay to apply (default: $TANDEM_CONTEXT)`;

export interface Selection {
  readonly file: string;
  readonly node: string;
  /** The node was named, and is not just this machine. */
  readonly nodeGiven: boolean;
  readonly context: string | null;
}

export function selectionOf({ values }: Invocation): Selection {
  const named = values.node ?? (Deno.env.get("TANDEM_NODE") || undefined);
  return {
    file: String(values.config ?? usualFile()),
    node: String(named ?? Deno.hostname()),
    nodeGiven: named !== undefined,
    context: values.context === undefined ? Deno.env.get("TANDEM_CONTEXT") || null : String(values.context),
  };
}

/** What is meant where no file is named: a project of Deno's may have its configuration in its own file. */
function usualFile(): string {
  const usual = "tandem.yaml";
  if (pathKind(usual) !== "missing") return usual;
  return ["deno.json", "deno.jsonc"].find((name) => hasOurKey(name)) ?? usual;
}

function hasOurKey(file: string): boolean {
  try {
    // What is not well-formed is told when it is read.
    return /"tandem"\s*:/.test(Deno.readTextFileSync(file));
  } catch {
    return false;
  }
}
