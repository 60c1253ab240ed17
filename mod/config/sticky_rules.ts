/**
 * Rules about the sessions of pools: which settings go together, and with which listeners. Pure.
 */
import { parseIp } from "../base/address.ts";
import type { PoolConfig, ServerConfig } from "./pool_schema.ts";
import type { Path } from "./problem.ts";
import { eachRepeated, type RuleContext } from "./rules.ts";
import type { StickyConfig } from "./sticky_schema.ts";

const OF_COOKIES = [
  "mode",
  "indirect",
  "noCache",
  "preserve",
  "maxIdle",
  "maxLife",
  "domain",
  "path",
  "secure",
  "httpOnly",
  "sameSite",
  "secret",
] as const;
/** Those of cookies that Tandem makes itself. */
const OF_INSERT: readonly string[] = OF_COOKIES.filter((field) => field !== "mode" && field !== "secret");
const OF_TABLES = ["mask", "ttl", "size", "learn", "storeRequest"] as const;

/** `overTcp`: a tcp listener uses the pool. */
export function checkSticky(context: RuleContext, name: string, pool: PoolConfig, overTcp: boolean): void {
  const path = ["pools", name, "sticky"];
  if (!context.whole(path)) return;
  checkIds(context, name, pool);
  const { sticky } = pool;
  if (sticky === undefined) return;
  if ((sticky.cookie === undefined) === (sticky.by === undefined)) {
    return context.error(path, "must have either cookie or by", "key");
  }
  if (sticky.cookie === undefined) checkTable(context, path, sticky, overTcp);
  else checkCookie(context, path, sticky, overTcp);
}

function checkCookie(context: RuleContext, path: Path, sticky: StickyConfig, overTcp: boolean): void {
  useless(context, path, OF_TABLES, "has no sense with cookie; it needs by");
  if (sticky.mode !== "insert") {
    useless(context, path, OF_INSERT, `has no sense with mode ${sticky.mode}; it needs insert`);
  }
  if (sticky.sameSite === "none" && !sticky.secure) {
    context.error([...path, "sameSite"], "needs secure: browsers take no such cookie without");
  }
  if (overTcp) {
    context.error(
      [...path, "cookie"],
      "cannot be had in a pool of a tcp listener, which sees no requests",
      "key",
    );
  }
}

function checkTable(context: RuleContext, path: Path, sticky: StickyConfig, overTcp: boolean): void {
  useless(context, path, OF_COOKIES, "has no sense with by; it needs cookie");
  const by = sticky.by ?? [];
  if (!by.some(({ kind }) => kind === "sourceIp")) {
    useless(context, path, ["mask"], "has no sense without sourceIp in by");
  }
  if (sticky.storeRequest === false && sticky.learn === undefined) {
    context.error([...path, "storeRequest"], "needs learn: nothing would ever be remembered");
  }
  if (!overTcp) return;
  for (const [at, { kind }] of by.entries()) {
    if (kind === "sourceIp" || kind === "sni") continue;
    const where = context.given([...path, "by", at]) ? [...path, "by", at] : [...path, "by"];
    context.error(where, "must be sourceIp or sni in a pool of a tcp listener, which sees no requests");
  }
  useless(context, path, ["learn"], "cannot be had in a pool of a tcp listener, which sees no answers");
}

/** Complains of fields that the file has. */
function useless(context: RuleContext, path: Path, fields: readonly string[], message: string): void {
  for (const field of fields) {
    if (context.given([...path, field])) context.error([...path, field], message, "key");
  }
}

/** Ids that servers are given by hand. */
function checkIds(context: RuleContext, name: string, { servers, sticky }: PoolConfig): void {
  const path = (at: number) => ["pools", name, "servers", at, "cookie"];
  const given = servers.map((server, at) => ({ ...server, at })).filter(({ cookie }) => cookie !== undefined);
  for (const server of given) {
    if (sticky?.cookie === undefined) {
      context.error(path(server.at), "has no sense in a pool without sticky.cookie", "key");
    } else if (mayBeSeveral(server)) {
      context.error(path(server.at), "needs a server with an IP address, as a name may have several", "key");
    }
  }
  eachRepeated(given, ({ cookie }) => cookie!, (at, first) => {
    context.error(
      path(given[at]!.at),
      `is that of ${context.show(["pools", name, "servers", given[first]!.at])}`,
    );
  });
}

function mayBeSeveral({ source }: ServerConfig): boolean {
  return source.kind === "dns" || parseIp(source.host) === null;
}
