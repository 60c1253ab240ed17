/**
 * The sessions of a pool as they stand in a snapshot. Pure: how ids are made of addresses is a parameter.
 */
import { formatHostPort } from "../base/address.ts";
import type { ServerSnapshot } from "./snapshot.ts";
import type { StickySnapshot } from "./sticky_snapshot.ts";
import type { StickyConfig } from "./sticky_schema.ts";

/** Makes the id of a server out of its address and a secret (may be empty): equal ones of equal ones, on every node. */
export type MakeServerId = (address: string, secret: string) => string;

const SAME_SITE = { lax: "Lax", strict: "Strict", none: "None" } as const;

/** Does not have the secret: a snapshot is shown and compared. */
export function stickySnapshot(sticky: StickyConfig): StickySnapshot {
  const { redispatch } = sticky;
  if (sticky.by !== undefined) {
    const { by, mask, ttl, size, learn = [] } = sticky;
    const storeRequest = sticky.storeRequest ?? learn.length === 0;
    return { kind: "table", by, mask, ttlMs: ttl, size, learn, storeRequest, redispatch };
  }
  const { cookie, mode, indirect, noCache, preserve, maxIdle = 0, maxLife = 0 } = sticky;
  return {
    kind: "cookie",
    mode,
    name: cookie!,
    indirect,
    noCache,
    preserve,
    maxIdleMs: maxIdle,
    maxLifeMs: maxLife,
    attributes: attributesOf(sticky),
    redispatch,
  };
}

function attributesOf({ path, domain, secure, httpOnly, sameSite }: StickyConfig): string {
  return [
    `; Path=${path}`,
    domain === undefined ? "" : `; Domain=${domain}`,
    secure ? "; Secure" : "",
    httpOnly ? "; HttpOnly" : "",
    sameSite === undefined ? "" : `; SameSite=${SAME_SITE[sameSite]}`,
  ].join("");
}

/** A server with the id that sessions know it by: the one that it was given, else one that tells nothing of it. */
export function withId(
  server: ServerSnapshot,
  given: string | undefined,
  sticky: StickyConfig | undefined,
  make: MakeServerId | undefined,
): ServerSnapshot {
  if (sticky === undefined) return server;
  if (given !== undefined) return { ...server, id: given };
  if (make === undefined) throw new Error("Cannot make ids of servers as nobody says how");
  return { ...server, id: make(formatHostPort(server.host, server.port), sticky.secret ?? "") };
}
