/**
 * The schema of retries: when another attempt is made at a request, how soon, and how often. Pure.
 */
import { z } from "zod";
import { parseDuration } from "../base/duration.ts";
import { duration, integer, keyIssue, oneOrMore, share, token } from "./fields.ts";
import type { RetryCondition, RetrySnapshot } from "./failure_snapshot.ts";

// The statuses are HAProxy's.
const CONDITIONS = [
  ...["connect", "empty", "reset", "malformed", "timeout"],
  ...["401", "403", "404", "408", "425", "429", "500", "501", "502", "503", "504"],
] as const;
const isStatus = (word: string) => /^[45]/.test(word);
const conditionText = (value: unknown) => typeof value === "number" ? String(value) : value;
const condition = z.preprocess(conditionText, z.enum(CONDITIONS))
  .transform((word) => (isStatus(word) ? Number(word) : word) as RetryCondition)
  .meta({
    type: ["string", "integer"],
    enum: CONDITIONS.flatMap((word) => isStatus(word) ? [Number(word), word] : [word]),
  });

const method = token("an HTTP method, idempotent or all").transform((text) => text.toUpperCase());

const backoff = z.strictObject({
  base: duration().describe("Longest wait before the first retry; it doubles with each."),
  // Envoy: ten times the base.
  max: duration().optional().describe("Longest wait before any. Without: ten times the base."),
}).superRefine(({ base, max = base }, context) => {
  if (max < base) context.addIssue(keyIssue("must not be less than base", "max"));
});

const attempts = integer(0, 10);
const on = z.array(condition);
const methods = oneOrMore(method).optional().describe(
  "Methods of requests that are sent again once a server may have seen them: names, `idempotent` or `all`. " +
    "Default: idempotent.",
);
const perTry = duration().optional().describe(
  "After so long without the head of an answer another server is tried, if one is left and free; `on` must have " +
    "`timeout`. Without: after `timeouts.response`.",
);
const wait = backoff.optional().describe(
  "Wait before a retry, for a time that chance decides; the same server may be tried again when no other is left. " +
    "Without: at once, and only others.",
);
const QUANTILE = /^p([1-9][0-9](?:\.[0-9])?)$/;
const HEDGE = "must be a duration such as 200ms, a quantile such as p95, or never";
const hedge = z.string({ error: () => HEDGE }).transform((text, context): RetrySnapshot["hedge"] => {
  const percent = QUANTILE.exec(text)?.[1];
  const afterMs = parseDuration(text) ?? 0;
  if (text === "never") return text;
  if (percent !== undefined) return { quantile: Number(percent) / 100 };
  if (afterMs > 0) return { afterMs };
  context.addIssue({ code: "custom", message: HEDGE });
  return z.NEVER;
}).optional().describe(
  "When the same request goes to a second server as well, and whichever answers first is used: after a time " +
    "(`200ms`) without the head of an answer, or once it takes longer than most do (`p95`). Of requests without a " +
    "body that may be sent again and belong to no session; counts against the budget. Default: never.",
);
const ATTEMPTS = "How many further attempts there are after the first; 0: none.";
const ON =
  "What is retried, for requests where that is safe: `connect`, `empty` (no answer), `reset` and `malformed` " +
  "(before its head was whole), `timeout`, or a status.";

/** What is said of `perTry` beside an `on` that would not have it. */
export const NEEDS_TIMEOUT = "needs timeout among what is retried on";

export const retry = z.strictObject({
  attempts: attempts.prefault(2).describe(ATTEMPTS),
  on: on.prefault(["connect", "empty"]).describe(ON),
  methods,
  perTry,
  backoff: wait,
  hedge,
  // Envoy and linkerd: 20 %.
  budget: share().prefault("20%").describe(
    "Most retries as a share of requests, so that retries do not bury a pool; those of `connect` are free.",
  ),
}).superRefine(({ on, perTry }, context) => {
  if (perTry !== undefined && !on.includes("timeout")) context.addIssue(keyIssue(NEEDS_TIMEOUT, "perTry"));
}).prefault({}).describe("Trying again, mostly another server.");

export const routeRetry = z.strictObject({
  attempts: attempts.optional().describe(ATTEMPTS),
  on: on.optional().describe(ON),
  methods,
  perTry,
  backoff: wait,
  hedge,
}).optional().describe("Trying again, where this route does it otherwise than the pool.");

export type RetryConfig = z.output<typeof retry>;
export type RouteRetryConfig = NonNullable<z.output<typeof routeRetry>>;
