/**
 * What a function gets besides the request.
 */
import { NEXT, REMOVE, SET_PREFIX, UNTOUCHABLE } from "./contract.ts";

export interface RequestChanges {
  /** Fields of the request, instead of those of that name that came. */
  readonly set?: Readonly<Record<string, string>>;
  /** Names of fields that the pool is not to see. */
  readonly remove?: readonly string[];
}

export interface FunctionContext {
  /** The client, as the request's `X-Forwarded-For` tells it; empty: it tells nothing. */
  readonly remoteAddr: { readonly transport: "tcp"; readonly hostname: string };
  /** The answer that passes the request on: to the pool, or to the first of the route's `next`. */
  next(pool?: string, changes?: RequestChanges): Response;
}

/** `pools`: those that requests may be passed on to. */
export function contextOf(request: Request, pools: readonly string[]): FunctionContext {
  const forwarded = request.headers.get("x-forwarded-for") ?? "";
  return {
    remoteAddr: { transport: "tcp", hostname: forwarded.slice(forwarded.lastIndexOf(",") + 1).trim() },
    next: (pool, changes) => nextAnswer(request, pools, pool, changes),
  };
}

function nextAnswer(
  request: Request,
  pools: readonly string[],
  pool = pools[0],
  { set = {}, remove = [] }: RequestChanges = {},
): Response {
  const cannot = (why: string) => new TypeError(`Cannot pass the request on: ${why}`);
  if (pool === undefined) throw cannot("the route has no `next`");
  if (!pools.includes(pool)) throw cannot(`the route's \`next\` does not name the pool "${pool}"`);
  if (request.bodyUsed) throw cannot("its body has been read");
  const headers = new Headers({ [NEXT]: pool });
  for (const [name, value] of Object.entries(set)) {
    headers.append(SET_PREFIX + mayChange(name, cannot), value);
  }
  for (const name of remove) headers.append(REMOVE, mayChange(name, cannot));
  return new Response(null, { headers });
}

function mayChange(name: string, cannot: (why: string) => TypeError): string {
  if (!UNTOUCHABLE.has(name.toLowerCase())) return name;
  throw cannot(`${name} is not for functions to change`);
}
