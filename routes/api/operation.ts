/**
 * What the resources of the API have in common: how an operation is described, and how its outcome becomes an answer.
 *
 * A resource is a file that exports a `Resource` and a line in `table.ts`. It must not know in which process it runs.
 */
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Outcome } from "../../mod/runtime/commands.ts";
import type { Desk } from "../../mod/runtime/desk.ts";

export interface ApiEnv {
  readonly Bindings: {
    /** Who asks, as far as the transport knows: an address, or a user of this machine. */
    readonly peer?: string;
    /** Another node asks, which only says who wants it. */
    readonly handedOn?: boolean;
  };
  readonly Variables: {
    /** Who asks, for the log. */
    by: string;
    /** Whether they may change something. */
    role: "reader" | "operator";
    /** Whether they ask over this node's own socket. */
    here: boolean;
  };
}

export type ApiApp = OpenAPIHono<ApiEnv>;

/** Adds the routes of a resource. */
export type Resource = (app: ApiApp, desk: Desk) => void;

export { createRoute, z };

export const Problem = z.object({
  error: z.string().describe("What is wrong, in words; several problems have a line each."),
}).openapi("Problem");

export const Done = z.object({
  done: z.literal(true),
  warnings: z.array(z.string()).describe("What has become worse by it."),
  count: z.number().optional().describe("How many things it was done to, where that is counted."),
}).openapi("Done");

/** An answer in JSON. */
export function json<T extends z.ZodType>(schema: T, description: string) {
  return { description, content: { "application/json": { schema } } } as const;
}

/** A body in JSON, which must be there. */
export function body<T extends z.ZodType>(schema: T) {
  return { required: true, content: { "application/json": { schema } } } as const;
}

export const NOT_FOUND = { 404: json(Problem, "There is no such thing.") } as const;
export const DOWN = {
  503: json(Problem, "The balancer is down or starting, or an upgrade is under way."),
} as const;

/** The answers to an operation that changes something. */
export const CHANGE = {
  200: json(Done, "It is in force, in every worker."),
  400: json(Problem, "The request makes no sense."),
  401: json(Problem, "A token is needed."),
  403: json(Problem, "The node has no token, or a page of another origin asks."),
  ...NOT_FOUND,
  409: json(Problem, "It cannot be done as things are, or the rules of the configuration forbid it."),
  ...DOWN,
} as const;

/** What has come of a command. */
export function outcome(context: Context<ApiEnv>, result: Outcome) {
  if (!result.ok) return context.json({ error: result.problems.join("\n") }, result.status);
  const { warnings, count } = result;
  return context.json({ done: true as const, warnings, ...count === undefined ? {} : { count } }, 200);
}

/** What was asked for does not exist: answered with 404. */
export class Missing extends Error {}

/** The item of that name, or `Missing`. */
export function named<T extends { readonly name: string }>(
  items: readonly T[],
  name: string,
  what: string,
): T {
  const found = items.find((item) => item.name === name);
  if (found === undefined) throw new Missing(`there is no ${what} ${name}`);
  return found;
}
