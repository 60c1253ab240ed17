/**
 * What a health monitor knows of its servers, for the one that goes on after it: in another process, maybe of another
 * version, so that nothing of it is believed unseen. Pure.
 */
import { z } from "zod";
import { NO_WISH } from "./agent_wish.ts";

const name = z.string().min(1).max(512);
const ms = z.number().min(0);

const SERVER = z.object({
  pool: name,
  server: name,
  host: name,
  port: z.number().int(),
  /** By its check; null: it has none, or was not probed yet. */
  probed: z.object({ state: z.enum(["up", "down"]), reason: z.string() }).nullable(),
  /** By the passive check. */
  ejected: z.object({ reason: z.string(), leftMs: ms, times: z.number().int().min(1), lengthMs: ms })
    .nullable(),
  /** How long it has been starting slowly; null: it is not. */
  slowForMs: ms.nullable(),
  /** When its state began, milliseconds since the epoch. */
  since: ms,
  /** What its agent wants; of a version that knows no agents: nothing. */
  agent: z.object({
    percent: z.int().min(0),
    admin: z.enum(["ready", "drain", "maint"]),
    down: z.string().nullable(),
    limit: z.int().min(0),
  }).catch(NO_WISH),
});

export type RememberedServer = z.infer<typeof SERVER>;

/** The servers in `value`; what is none is left out. Throws when it is no list at all. */
export function rememberedServers(value: unknown): RememberedServer[] {
  return z.array(z.unknown()).parse(value).flatMap((one) => {
    const checked = SERVER.safeParse(one);
    return checked.success ? [checked.data] : [];
  });
}
