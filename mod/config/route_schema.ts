/**
 * The schema of a route: what it matches and its one action. Pure.
 */
import { z } from "zod";
import { PATH_VARIABLE } from "../files/locate.ts";
import { canonicalPath } from "../route/path.ts";
import { REDIRECT_SCOPE } from "../route/redirect.ts";
import { errorPages, interceptErrors } from "./error_page_schema.ts";
import { CacheSchema } from "./cache_schema.ts";
import { CompressSchema } from "./compress_schema.ts";
import {
  acrossIssue,
  choice,
  flag,
  integer,
  keyIssue,
  line,
  name,
  oneOf,
  oneOrMore,
  share,
  size,
} from "./fields.ts";
import { fallback, routeTimeouts } from "./failure_schema.ts";
import { FunctionSchema } from "./function_schema.ts";
import { guardFields } from "./guard_schema.ts";
import { HeadersSchema } from "./header_schema.ts";
import { MatchSchema } from "./match_schema.ts";
import { HashOnSchema } from "./pool_schema.ts";
import { respond } from "./respond_schema.ts";
import { routeRetry } from "./retry_schema.ts";
import { RewriteSchema } from "./rewrite_schema.ts";
import type { RouteAction } from "./snapshot.ts";
import { template } from "./template_field.ts";

/** Statuses whose answer says where to go (RFC 9110 section 15.4) and that browsers follow. */
const REDIRECTS = [301, 302, 303, 307, 308] as const;
const limits = z.strictObject({
  head: size(1024, 1024 * 1024).optional().describe("Largest request head (431 above it)."),
  headers: integer(1, 1000).optional().describe("Most header fields in a request (431 above it)."),
  body: size().optional().describe("Largest request body (413 above it); 0: no limit."),
});

const split = z.strictObject({
  pools: z.record(name(), integer(0, 1_000_000)).transform((record) =>
    Object.entries(record).map(([pool, weight]) => ({ pool, weight }))
  ).refine((pools) => pools.some(({ weight }) => weight > 0), "must have a pool with a weight above 0")
    .describe("Pools with their weights: `{ app: 95, canary: 5 }`."),
  hashOn: HashOnSchema.nullable().prefault(null)
    .describe(
      "What keeps a client at its pool: `sourceIp`, `uri`, `path`, `header:NAME`, `cookie:NAME`, `query:NAME`. " +
        "Without: chance, for each request anew.",
    ),
}).describe("Send each request to one of several pools, by weight.");

const mirror = z.strictObject({
  pool: name().describe("Pool that gets the copies."),
  share: share().refine((value) => value > 0, "must be above 0").prefault("100%")
    .describe("Share of the requests that are copied."),
  body: size(0, 1024 * 1024).prefault("64k")
    .describe("Largest body of a request that is copied; up to 1m."),
  requests: integer(1, 10_000).prefault(100)
    .describe("Most copies under way at a time, in each worker; what would be more is not copied."),
}).describe(
  "Beside pool or split: send copies of requests to another pool as well, and throw the answers away.",
);

const redirect = z.strictObject({
  to: template(REDIRECT_SCOPE, 1).describe(
    "Where to: a URL or a path. `*` stands for what the `*` of the path took, `:id` for a parameter.",
  ),
  status: oneOf(...REDIRECTS).prefault(308).describe("Status of the answer."),
}).describe("Answer with a redirection.");

/** Text that goes into a header as it is. */
const headerText = (minLength = 1) => line(minLength, 1024).regex(/^[^\u0080-\uffff]*$/, "must be ASCII");

const fileName = line(1, 255).refine(
  (text) => !/[/\\]/.test(text) && !text.startsWith("."),
  "must be the name of a file, without a slash and not beginning with a dot",
);

const files = z.strictObject({
  root: line(1, 4096).describe(
    "Directory with the files; relative to the directory of the configuration file.",
  ),
  stripPrefix: line(0, 1024)
    .regex(/^(\/[!-~]*)?$/, "must be a path that begins with a slash")
    .transform((text) => canonicalPath(text).replace(/\/+$/, ""))
    .prefault("").describe("Prefix of the path that is taken off before a file is looked for."),
  index: oneOrMore(fileName).prefault(["index.html"])
    .describe("Names of files that stand for their directory, tried in order; one or a list."),
  tryFiles: oneOrMore(line(1, 1024).superRefine(checkCandidate)).prefault([PATH_VARIABLE])
    .describe("Paths below the root, tried in order: `$path` is the path of the request, alone or in front."),
  precompressed: oneOrMore(choice("br", "gzip", "zstd")).default([])
    .describe("Encodings whose files lie beside the others (`.br`, `.gz`, `.zst`), best first."),
  listing: flag().prefault(false).describe("Whether a directory without an index file is shown as a list."),
  hidden: flag().prefault(false)
    .describe("Whether names that begin with a dot are sent; `/.well-known` always is."),
  cacheControl: headerText(0).prefault("").describe("`Cache-Control` of every file."),
  types: z.record(
    z.string().regex(/^[A-Za-z0-9_-]{1,32}$/, "must be an ending without its dot"),
    headerText(),
  )
    .prefault({})
    .transform((record) =>
      Object.fromEntries(Object.entries(record).map(([ending, type]) => [ending.toLowerCase(), type]))
    )
    .describe("`Content-Type` by the ending of a name, before the types that are known anyway."),
}).describe("Answer with a file of a directory.");

/** An action as it is written: the text of a file is not there yet, a function is not yet a pool. */
export type ActionConfig =
  | Exclude<RouteAction, { kind: "respond" | "acme" }>
  | { readonly kind: "respond" } & z.output<typeof respond>
  | { readonly kind: "function" } & z.output<typeof FunctionSchema>;

export const RouteSchema = z.strictObject({
  match: MatchSchema.prefault({}).describe(
    "What a request must have; everything given must hold. Without: every request.",
  ),
  pool: name().optional().describe("Action: send the request to this pool."),
  split: split.optional(),
  redirect: redirect.optional(),
  respond: respond.optional(),
  files: files.optional(),
  function: FunctionSchema.optional(),
  rewrite: RewriteSchema.optional().describe(
    "What is changed of path, query and host before a server gets them.",
  ),
  headers: HeadersSchema.optional().describe("What is changed of headers, after the listener's rules."),
  errorPages,
  interceptErrors,
  compress: CompressSchema.optional().describe(
    "Compress the answers of this route, instead of the listener's setting; `false`: do not.",
  ),
  mirror: mirror.optional(),
  cache: CacheSchema.optional().describe(
    "Beside pool, split or function: store answers and use them again (RFC 9111); `true`: with the defaults.",
  ),
  ...guardFields,
  timeouts: routeTimeouts,
  retry: routeRetry,
  fallback,
  limits: limits.optional().describe("Limits of this route, below those of the listener."),
}).transform(({ pool, split, redirect, respond, files, function: ofModule, ...rest }, context) => {
  const actions: ActionConfig[] = [];
  if (pool !== undefined) actions.push({ kind: "pool", pool });
  if (split !== undefined) actions.push({ kind: "split", ...split });
  if (redirect !== undefined) actions.push({ kind: "redirect", ...redirect });
  if (respond !== undefined) actions.push({ kind: "respond", ...respond });
  if (files !== undefined) actions.push({ kind: "files", ...files });
  if (ofModule !== undefined) actions.push({ kind: "function", ...ofModule });
  const [action] = actions;
  if (action !== undefined && actions.length === 1) return { ...rest, action };
  if (action === undefined) context.addIssue(acrossIssue(`${ONE_ACTION}, and has none`));
  for (const { kind } of actions.slice(1)) {
    context.addIssue(keyIssue(besideAction(action!.kind), kind));
  }
  return z.NEVER;
});

const ONE_ACTION = "must have exactly one action (pool, split, redirect, respond, files or function)";

/** The keys of actions, in the order in which one is held to be the one too many. */
export const ACTIONS = ["pool", "split", "redirect", "respond", "files"] as const;

/** What is said of an action beside another. */
export function besideAction(first: string): string {
  return `cannot stand beside ${first}: a route ${ONE_ACTION}`;
}

export type RouteConfig = z.output<typeof RouteSchema>;

/** A candidate is below the root by itself: nothing in it may lead up, or be taken for a variable that there is not. */
function checkCandidate(text: string, context: z.RefinementCtx): void {
  const refuse = (message: string) => context.addIssue({ code: "custom", message });
  const rest = text.startsWith(PATH_VARIABLE) ? text.slice(PATH_VARIABLE.length) : text;
  if (rest === text && !text.startsWith("/")) refuse("must begin with `$path` or with a slash");
  else if (rest.includes("$")) refuse("knows only one variable, `$path`, and only at the beginning");
  else if (/(^|\/)\.\.?(\/|$)|\/\//.test(rest)) refuse("must not have empty segments, `.` or `..`");
}
