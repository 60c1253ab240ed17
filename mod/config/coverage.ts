/**
 * Whether one route takes everything that another would: then the other, standing later, is never reached. Pure.
 *
 * It errs on the side of "no": expressions and parameters are compared as text only.
 */
import type { RouteConfig } from "./route_schema.ts";

type Match = RouteConfig["match"];

/** True when every request that `later` matches is surely matched by `earlier`. */
export function covers(earlier: Match, later: Match): boolean {
  return coversHosts(earlier.host, later.host) && coversPath(earlier.path, later.path) &&
    coversWords(earlier.method, later.method) && isSubset(earlier.headers, later.headers) &&
    isSubset(earlier.query, later.query);
}

function coversHosts(earlier: readonly string[], later: readonly string[]): boolean {
  if (earlier.length === 0) return true;
  if (later.length === 0) return false;
  return later.every((host) =>
    earlier.some((one) => one === host || one.startsWith("*.") && host.endsWith(one.slice(1)))
  );
}

function coversPath(earlier: string | undefined, later: string | undefined): boolean {
  if (earlier === undefined || earlier === later) return true;
  // A route without a path also takes `OPTIONS *`, which no path does.
  if (later === undefined) return false;
  if (earlier === "*" || earlier === "/*") return true;
  if (!earlier.endsWith("/*") || /[:{*]/.test(earlier.slice(0, -2))) return false;
  // `/static/*` also takes `/static`.
  const prefix = earlier.slice(0, -2);
  return later === prefix || later.startsWith(`${prefix}/`);
}

function coversWords(earlier: readonly string[], later: readonly string[]): boolean {
  return earlier.length === 0 || later.length > 0 && later.every((word) => earlier.includes(word));
}

/** Every condition of the earlier route is one of the later's too. */
function isSubset(earlier: Match["headers"], later: Match["headers"]): boolean {
  return earlier.every(([name, value]) =>
    later.some(([other, wanted]) => other === name && wanted === value)
  );
}
