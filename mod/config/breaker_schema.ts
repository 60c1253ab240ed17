/**
 * The schema of a pool's breaker: when its servers are spared requests that they would hardly answer. Pure.
 */
import { z } from "zod";
import { acrossIssue, duration, integer, share } from "./fields.ts";

export const breaker = z.strictObject({
  maxRequests: integer(0, 10_000_000).prefault(0).describe(
    "Most requests under way at the servers of the pool together; more get 503 (`overloaded`); 0: no limit.",
  ),
  failures: share().prefault(0).describe(
    "Share of attempts in the window that fail, 5xx answers among them, at which all requests get 503 (`breakerOpen`) " +
      "for a while; 0: never.",
  ),
  minRequests: integer(1, 1_000_000).prefault(20).describe(
    "Fewest attempts in the window before the share counts.",
  ),
  window: duration(100).prefault("10s").describe("Window of the share."),
  openFor: duration(100).prefault("5s").describe("How long nothing gets through; then a few do."),
  trials: integer(1, 1000).prefault(3).describe(
    "So many requests get through then: when all are answered well, all are let through again; when one is not, none.",
  ),
}).superRefine(({ maxRequests, failures }, context) => {
  if (maxRequests === 0 && failures === 0) context.addIssue(acrossIssue("must have maxRequests or failures"));
}).optional().describe("Sparing the pool when it fails as a whole. Without: every request is tried.");

export type BreakerConfig = NonNullable<z.output<typeof breaker>>;
