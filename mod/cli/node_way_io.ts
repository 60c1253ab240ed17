/**
 * Which way a command goes to the node that it is for: straight to the socket of a node on this machine, to an address,
 * or through one of these to another node of the pair, or to all: then the one that is named, which runs here, is
 * asked first.
 */
import { type Invocation, UsageError } from "./command.ts";
import { socketAt } from "./socket_io.ts";

/** The socket or the address, and the node that is to be asked through it; null: that one itself. */
export type Way =
  | { readonly socket: string; readonly url: null; readonly node: string | null }
  | { readonly socket: null; readonly url: string; readonly node: string | null };

export function wayTo({ values }: Invocation): Way | { readonly problem: string } {
  const { url, socket, both } = values;
  if (both === true && values.node === "peer") throw new UsageError("takes --both without --node peer");
  const node = both === true ? "both" : values.node === undefined ? null : String(values.node);
  if (url !== undefined) return { socket: null, url: String(url), node };
  // A node of that name on this machine is asked itself.
  if (node !== null && both !== true && socket === undefined) {
    const own = socketAt(undefined, node);
    const usual = socketAt(undefined);
    const through = node === "peer" ||
      "path" in own && !exists(own.path) && "path" in usual && exists(usual.path);
    if (!through) return "problem" in own ? own : { socket: own.path, url: null, node: null };
  }
  const at = socketAt(socket, both === true ? values.node : undefined);
  // The named one is to be the first that does it: none takes its place.
  if (
    both === true && values.node !== undefined && socket === undefined && "path" in at && !exists(at.path)
  ) {
    throw new UsageError(
      `takes --both with --node of a node on this machine, and ${values.node} has no socket here`,
    );
  }
  return "problem" in at ? at : { socket: at.path, url: null, node };
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    // Who may not see it is told so by the node's own answer.
    return !(error instanceof Deno.errors.NotFound);
  }
}
