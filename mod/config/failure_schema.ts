/**
 * The schema of what a route does otherwise than its listener and pools where something takes too long or fails. Pure.
 */
import { z } from "zod";
import { acrossIssue, duration, integer, name } from "./fields.ts";
import { sorry } from "./respond_schema.ts";

/** The same on a listener and on a route. */
const REQUEST =
  "Longest time from the head of a request to the end of its answer, with all attempts: 504, or the " +
  "connection is closed where the answer has begun; 0s: no limit.";

export const requestTimeout = duration(0).prefault("0s").describe(REQUEST);

export const routeTimeouts = z.strictObject({
  request: duration(0).optional().describe(REQUEST),
  body: duration().optional().describe("Longest wait for more of a request body."),
  tunnel: duration().optional().describe(
    "How long a connection that became a tunnel (WebSocket) may be silent in both directions.",
  ),
  queue: duration().optional().describe("Longest wait while every server is at `maxConnections`; then 503."),
  connect: duration().optional().describe("Longest wait for a connection to a server."),
  response: duration().optional().describe(
    "Longest wait for the head of a server's answer, and for more of its body.",
  ),
}).optional().describe("Time-outs of this route. Without: those of the listener and of the pool.");

export const fallback = z.strictObject({
  pool: name().optional().describe(
    "Pool that gets the request, where it may be sent again, or the connection.",
  ),
  respond: sorry.optional(),
  statuses: z.array(integer(400, 599)).prefault([]).describe(
    "Statuses of servers that count as failures too. Without: what they answer is passed on.",
  ),
}).superRefine(({ pool, respond }, context) => {
  const given = [pool, respond].filter((one) => one !== undefined).length;
  if (given !== 1) context.addIssue(acrossIssue("must have either pool or respond"));
}).optional().describe(
  "What a request gets in the place of the error when the pool has no server for it, or all attempts failed; of a " +
    "tcp listener what a connection gets, another pool.",
);

export type FallbackConfig = NonNullable<z.output<typeof fallback>>;
