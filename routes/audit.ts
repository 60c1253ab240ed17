/**
 * A line and a count for what is refused: who has tried what, and why not; never a token nor what was sent.
 *
 * What is let in leaves its line where it is done (`mod/runtime/operator_io.ts`).
 */
import type { Context, MiddlewareHandler } from "hono";
import { logger } from "../mod/observe/log.ts";
import { type RefusalReason, REFUSALS, Refusals } from "../mod/observe/refusals.ts";
import type { ApiEnv } from "./api/operation.ts";
import { isForeign, READING } from "./auth.ts";

/** As much of a path as a line has room for. */
const MAX_PATH = 200;
const MAX_METHOD = 20;

const audit = logger("audit");

/** Goes before all else that answers. `now`: milliseconds of a clock. */
export function auditRefusals(
  refusals = new Refusals(),
  now: () => number = () => performance.now(),
): MiddlewareHandler {
  return async (context, next) => {
    await next();
    const reason = refusalIn(context);
    if (reason === null) return;
    const suppressed = refusals.note(reason, now());
    if (suppressed === null) return;
    const { method, path } = context.req;
    const what = `${method.slice(0, MAX_METHOD)} ${path.slice(0, MAX_PATH)}`;
    const { peer = "somewhere" } = (context.env ?? {}) as ApiEnv["Bindings"];
    audit.warning(`${peer}: ${what}: refused`, {
      reason: REFUSALS[reason],
      ...suppressed === 0 ? {} : { suppressed },
    });
  };
}

function refusalIn({ req, res: { status } }: Context): RefusalReason | null {
  if (status === 401) return req.header("authorization") === undefined ? "noToken" : "wrongToken";
  if (status === 421) return "host";
  if (READING.includes(req.method)) return null;
  switch (status) {
    case 400:
      return "invalid";
    case 403:
      return isForeign(req) ? "origin" : "forbidden";
    case 411:
    case 413:
      return "body";
    case 415:
      return "type";
    default:
      return null;
  }
}
