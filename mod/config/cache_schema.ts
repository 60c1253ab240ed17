/**
 * The schema of the cache: what all stored answers may take, and what a route stores. Pure.
 */
import { z } from "zod";
import { statusRange } from "./error_page_schema.ts";
import { acrossIssue, choice, duration, flag, integer, line, oneOrMore, size, token } from "./fields.ts";
import { ConditionsSchema } from "./match_schema.ts";

/** A status, a class (`4xx`) or a range, of final answers. */
const STATUSES = /^(?:[2-5][0-9]{2}|[2-5]xx|[2-5][0-9]{2}-[2-5][0-9]{2})$/;

/** nginx's `keys_zone` has no default and its answers are on disk; HAProxy's `total-max-size` has none either. */
export const CacheStoreSchema = z.strictObject({
  maxSize: size(1024 * 1024).prefault("64m")
    .describe("Most memory of all stored answers; each worker has its share of it."),
  maxObjectSize: size(1024).prefault("1m")
    .describe("Largest body that is stored, and at most what a worker has."),
});

const statuses = z.string().regex(STATUSES, "must be a status (404), a class (4xx) or a range (200-203)");

const ttl = z.union([
  duration().transform((ttlMs) => [{ first: 200, last: 200, ttlMs }]),
  z.record(statuses, duration()).transform((record) =>
    Object.entries(record).map(([key, ttlMs]) => {
      const [first, last] = statusRange(key);
      return { first, last, ttlMs };
    }).sort((a, b) => (a.last - a.first) - (b.last - b.first))
  ),
]);

const names = oneOrMore(line(1, 255)).optional();

const some = z.strictObject({
  only: names.describe("Parameters that count; with `*` at the end beginnings of names."),
  except: names.describe("Parameters that do not count; with `*` at the end beginnings of names."),
}).transform(({ only, except }, context) => {
  if (only !== undefined && except === undefined) return { kind: "only" as const, names: only };
  if (except !== undefined && only === undefined) return { kind: "except" as const, names: except };
  context.addIssue(acrossIssue("must have either only or except"));
  return z.NEVER;
});

const query = z.union([choice("all", "none").transform((kind) => ({ kind })), some]);

const key = z.strictObject({
  host: flag().prefault(true).describe("Whether each host has answers of its own."),
  query: query.prefault("all").describe(
    "What of the query counts: `all`, `none`, `{ only: [id] }` or `{ except: [utm_*] }`.",
  ),
  headers: oneOrMore(token("a header name").transform((name) => name.toLowerCase())).default([])
    .describe("Headers of the request that answers differ by."),
  cookies: oneOrMore(token("the name of a cookie")).default([])
    .describe("Cookies that answers differ by."),
}).describe("What answers are found by, besides scheme, path and where the request goes.");

const collapse = z.strictObject({
  waiting: integer(1, 100_000).prefault(1000)
    .describe("Most requests that wait for one answer, in each worker; others ask by themselves."),
  timeout: duration().prefault("5s").describe("How long one waits until it asks by itself."),
}).transform(({ waiting, timeout }) => ({ waiting, timeoutMs: timeout }));

const settings = z.strictObject({
  ttl: ttl.default([]).describe(
    "How long answers are fresh that do not say so themselves: a duration for status 200, or durations by " +
      "status (`404`), class (`4xx`) or range (`200-203`). Without: they are not stored.",
  ),
  maxTtl: duration().optional().describe("Longest that any answer is fresh, whatever it says."),
  staleWhileRevalidate: duration(0).prefault("0s").describe(
    "How long after that it is still used while it is renewed, where it says nothing of that itself.",
  ),
  staleIfError: duration(0).prefault("0s").describe(
    "How long after that it is still used when servers fail or answer with 5xx, where it says nothing of that itself.",
  ),
  key: key.prefault({}),
  bypass: oneOrMore(ConditionsSchema).default([]).describe(
    "Requests that have nothing to do with the cache: conditions, as in `match`, or a list of which any may hold.",
  ),
  collapse: z.union([flag(), collapse]).prefault(true)
    .transform((value) => value === true ? collapse.parse({}) : value === false ? null : value)
    .describe(
      "Whether requests wait for an answer that another one has asked for already; `false`: they do not.",
    ),
  requestDirectives: flag().prefault(false)
    .describe(
      "Whether `Cache-Control` of requests is heeded, so that a reload in a browser asks the servers.",
    ),
  statusHeader: flag().prefault(true).describe("Whether answers tell of the cache in `Cache-Status`."),
});

/** `true`: with the defaults. */
export const CacheSchema = z.union([flag(), settings])
  .transform((value) => value === true ? settings.parse({}) : value === false ? undefined : value);

export type CacheConfig = z.output<typeof settings>;
