/**
 * Who may use the admin address: anyone on this machine through a loopback bind, elsewhere who has the token.
 *
 * A page in a browser on this machine is not "anyone": it cannot read answers of another origin, unless a name of
 * its own is made to resolve to us (DNS rebinding). So without the token a request must name us by an IP address
 * or as localhost, which no foreign page does.
 */
import type { HonoRequest, MiddlewareHandler } from "hono";
import type { ApiEnv } from "./api/operation.ts";

export interface Access {
  /** loopback: only this machine reaches the bind; remote: others do; socket: the file's mode has decided. */
  readonly from: "loopback" | "remote" | "socket";
  /** The configured token, or null. A remote bind without one lets nobody in. */
  readonly token: string | null;
}

/** Lets a request pass or answers 401 (no token, a wrong one) or 421 (a foreign host name). */
export function guard({ from, token }: Access): MiddlewareHandler {
  return async (context, next) => {
    if (from === "socket") return await next();
    const given = bearer(context.req.header("authorization"));
    if (given !== null && token !== null && sameSecret(given, token)) return await next();
    if (given !== null || from === "remote") {
      context.header("www-authenticate", 'Bearer realm="tandem"');
      return context.json({ error: "a valid token is needed (Authorization: Bearer)" }, 401);
    }
    if (isOwnName(context.req.header("host") ?? new URL(context.req.url).host)) return await next();
    return context.json({ error: "without a token the Host must be an IP address or localhost" }, 421);
  };
}

/** Changes want the token, or the socket; a page of another origin is refused whatever it brings. */
export function guardChanges({ from, token }: Access): MiddlewareHandler<ApiEnv> {
  return async (context, next) => {
    const { peer, handedOn = false } = context.env ?? {};
    context.set("here", from === "socket" && !handedOn);
    context.set(
      "by",
      from === "socket" ? peer ?? "the admin socket" : `the token from ${peer ?? "somewhere"}`,
    );
    const given = bearer(context.req.header("authorization"));
    const trusted = from === "socket" || given !== null && token !== null && sameSecret(given, token);
    context.set("role", trusted ? "operator" : "reader");
    if (READING.includes(context.req.method)) return await next();
    if (isForeign(context.req)) {
      return context.json({ error: "a page of another origin may change nothing" }, 403);
    }
    if (from !== "socket" && token === null) {
      return context.json(
        { error: "changes need admin.token in the configuration, or the admin socket" },
        403,
      );
    }
    if (!trusted) {
      context.header("www-authenticate", 'Bearer realm="tandem"');
      return context.json({ error: "a valid token is needed (Authorization: Bearer)" }, 401);
    }
    const type = context.req.header("content-type");
    if (type !== undefined && !/^application\/json *(?:;|$)/i.test(type)) {
      return context.json({ error: "the body must be application/json" }, 415);
    }
    return await next();
  };
}

/** Methods that change nothing. */
export const READING: readonly string[] = ["GET", "HEAD", "OPTIONS"];

/** True for what a page of another origin asks. */
export function isForeign(req: HonoRequest): boolean {
  const origin = req.header("origin");
  return origin !== undefined && !isOf(origin, req.header("host") ?? new URL(req.url).host);
}

/** True for a page that came from this very host; `null`, an origin that is not told, is not. */
function isOf(origin: string, host: string): boolean {
  return /^https?:\/\//i.test(origin) &&
    origin.replace(/^https?:\/\//i, "").toLowerCase() === host.toLowerCase();
}

/** Compares in a time that depends on the length of `given` only. */
export function sameSecret(given: string, secret: string): boolean {
  const [left, right] = [encoder.encode(given), encoder.encode(secret)];
  let difference = left.length ^ right.length;
  for (let at = 0; at < left.length; at++) difference |= left[at]! ^ (right[at % right.length] ?? 0);
  return difference === 0;
}

const encoder = new TextEncoder();

/** The token of an `Authorization` field; empty for another scheme, which then is a wrong token. */
function bearer(field: string | undefined): string | null {
  if (field === undefined) return null;
  return /^bearer +(\S+) *$/i.exec(field)?.[1] ?? "";
}

/** An IP address or localhost, with or without a port. */
function isOwnName(host: string): boolean {
  return /^(?:localhost|\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\])(?::\d+)?$/i.test(host);
}
