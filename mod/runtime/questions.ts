/**
 * What keeper and balancer ask each other, as plain data. Pure.
 *
 * Neither believes the other: a question is checked by whoever is asked, an answer by whoever asked.
 */
import { z } from "zod";
import { poolName } from "../config/live.ts";
import { COMMAND, PLACED_SESSION, PURGE, WHICH_SESSION, WHICH_SESSIONS } from "./commands.ts";
import { PEER_REQUEST } from "./peer_request.ts";

/** Sessions in one answer. */
export const MAX_SESSIONS_TOLD = 1000;

const by = z.string().max(200);

/** What the keeper asks. */
export const OF_BALANCER = z.discriminatedUnion("ask", [
  z.strictObject({ ask: z.literal("status") }),
  z.strictObject({
    ask: z.literal("sessions"),
    pool: poolName,
    limit: z.int().min(1).max(MAX_SESSIONS_TOLD),
    after: z.int().min(0),
    ...WHICH_SESSION,
  }),
  z.strictObject({
    ask: z.literal("forgetSessions"),
    pool: poolName,
    ...WHICH_SESSIONS,
  }),
  z.strictObject({ ask: z.literal("setSession"), ...PLACED_SESSION }),
  z.strictObject({ ask: z.literal("purgeCache"), ...PURGE }),
]);

/** What the balancer asks. */
export const OF_KEEPER = z.discriminatedUnion("ask", [
  z.strictObject({ ask: z.literal("status") }),
  z.strictObject({ ask: z.literal("plan") }),
  /** For somebody who was let in at the admin address. */
  z.strictObject({ ask: z.literal("do"), command: COMMAND, by }),
  z.strictObject({ ask: z.literal("nodes") }),
  /** Of another node, for somebody who was let in at the admin address. */
  z.strictObject({ ask: z.literal("node"), node: z.string().max(100), request: PEER_REQUEST }),
]);

export type OfBalancer = z.infer<typeof OF_BALANCER>;
export type OfKeeper = z.infer<typeof OF_KEEPER>;
