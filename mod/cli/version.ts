/**
 * Which Tandem this is. A compiled binary is stamped by its build, which embeds `--stamp=VERSION` before the arguments
 * of every call; from source it is the version of the next release.
 */
import settings from "../../deno.json" with { type: "json" };

const STAMP = "--stamp=";

export interface Called {
  readonly version: string;
  /** What the caller has written. */
  readonly args: readonly string[];
}

/** Takes the stamp from the arguments of a call. Only a compiled binary has one. */
export function unstamp(args: readonly string[], standalone: boolean): Called {
  const [first = ""] = args;
  if (!standalone || !first.startsWith(STAMP)) return { version: settings.version, args };
  return { version: first.slice(STAMP.length), args: args.slice(1) };
}

/** The argument that a build embeds. */
export function stampOf(version: string): string {
  return STAMP + version;
}

export const CALLED: Called = unstamp(Deno.args, Deno.build.standalone);
