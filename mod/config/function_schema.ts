/**
 * The schema of a function: a module of JavaScript or TypeScript that answers requests, and what it may. Pure.
 */
import { z } from "zod";
import { parseHostPort } from "../base/address.ts";
import { duration, integer, line, name, oneOrMore, size } from "./fields.ts";

/** Processes of one function: each has an engine of its own, of some 80 MiB. */
const MAX_COUNT = 16;
/** Less does not run the engine itself, more is another machine. */
const MIN_MEMORY = 16 * 1024 * 1024, MAX_MEMORY = 4 * 1024 ** 3;

const moduleFile = line(1, 4096)
  .refine((path) => /\.(ts|tsx|mts|js|jsx|mjs)$/.test(path), "must end in .ts, .tsx, .mts, .js, .jsx or .mjs")
  .refine((path) => !/^[a-z][a-z0-9+.-]*:/i.test(path), "must be a path, not a URL");

/** A host with or without a port. */
const netPermission = line(1, 300).refine(
  (text) => parseHostPort(text) !== null || parseHostPort(`${text}:1`) !== null,
  "must be a host or host:port, such as api.example.com:443",
);

const settings = z.strictObject({
  module: moduleFile.describe(
    "File whose default export has `fetch(request)`; relative to the directory of the configuration file.",
  ),
  name: name().optional().describe(
    "Name in logs, status and metrics. Without: the file's, without its ending.",
  ),
  count: integer(1, MAX_COUNT).prefault(1).describe(
    "Processes that run it; each request goes to the one with the fewest under way.",
  ),
  timeout: duration(10).prefault("10s").describe(
    "Longest wait for the head of an answer, then 504; and how long a process may do nothing but compute.",
  ),
  memory: size(MIN_MEMORY, MAX_MEMORY).prefault("128m").describe(
    "Memory that a process may use beyond what it starts with; one that needs more is ended and started anew.",
  ),
  concurrency: integer(1, 100_000).prefault(100).describe(
    "Most requests at a time in each process; what would be more waits.",
  ),
  env: oneOrMore(line(1, 256).regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be the name of a variable"))
    .default([]).describe("Environment variables that it may read; one or a list."),
  net: oneOrMore(netPermission).default([])
    .describe("Hosts that it may connect to: `host` or `host:port`; one or a list."),
  next: oneOrMore(name()).default([])
    .describe("Pools that it may pass requests on to; the first is meant when it names none."),
}).transform(({ name, ...rest }) => ({ ...rest, name: name ?? stemOf(rest.module) }));

/** A path alone has the defaults of everything else. */
export const FunctionSchema = z.union([
  moduleFile.transform((module) => settings.parse({ module })),
  settings,
])
  .describe(
    "Action: a module with `export default { fetch(request) {} }` answers, in processes of its own (docs/functions.md).",
  );

export type FunctionConfig = z.output<typeof settings>;

/** The name of a file without directories and ending, as a name may be. */
function stemOf(path: string): string {
  const stem = path.slice(path.lastIndexOf("/") + 1).replace(/\.[a-z]+$/, "");
  return stem.replace(/[^A-Za-z0-9._-]/g, "-").replace(/^[.-]/, "_").slice(0, 100);
}
