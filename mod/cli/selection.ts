/**
 * The options that say which configuration is meant: file, node and context.
 */
import type { ParseArgsOptionsConfig } from "node:util";
import type { Invocation } from "./command.ts";

export const SELECTION_OPTIONS: ParseArgsOptionsConfig = {
  config: { type: "string", short: "c" },
  node: { type: "string" },
  context: { type: "string" },
};

export const SELECTION_HELP =
  `  -c, --config FILE   YAML, JSON, JSONC, or a deno.json with a "tandem" key (default: tandem.yaml)
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
    file: String(values.config ?? "tandem.yaml"),
    node: String(named ?? Deno.hostname()),
    nodeGiven: named !== undefined,
    context: values.context === undefined ? Deno.env.get("TANDEM_CONTEXT") || null : String(values.context),
  };
}
