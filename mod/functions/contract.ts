/**
 * How a function passes a request on: by an answer of no body that names a pool and what is to be changed. A function's
 * context writes such an answer, `proxy/handing_on.ts` reads it; docs/functions.md has the contract. Pure.
 */

/** Names the pool. Only answers of functions that may pass requests on are looked at for it. */
export const NEXT = "tandem-next";
/** Names of the request's fields that are left out, with commas between them. */
export const REMOVE = "tandem-remove";
/** What begins with it is a field of the request, instead of those of that name that came. */
export const SET_PREFIX = "tandem-request-";
/**
 * A request whose body waits at the balancer, so that it can be handed on: the request says `HELD` here; an answer that
 * has a word of its own here asks for the body, and the request comes again with that word and the body.
 */
export const BODY = "tandem-body";
export const HELD = "held";

/** They say how a message is framed and where it ends, or are of one connection only. */
export const UNTOUCHABLE: ReadonlySet<string> = new Set([
  BODY,
  ...["connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te", "trailer"],
  ...["transfer-encoding", "upgrade"],
]);
