/**
 * Rules about listeners and their routes. Pure.
 */
import { formatHostPort, isUnspecifiedIp, parseIp } from "../base/address.ts";
import { redirectFaults } from "../route/redirect.ts";
import { checkRouteCache } from "./cache_rules.ts";
import { checkListenerChanges, checkPrefix, checkRouteChanges, takenBy } from "./change_rules.ts";
import { UNCOMPRESSED } from "./compress_schema.ts";
import { Coverage } from "./coverage.ts";
import type { BindAddress } from "./fields.ts";
import { checkFailures } from "./failure_rules.ts";
import { checkGuards, checkSharedLimits } from "./guard_rules.ts";
import type { ListenerConfig } from "./listener_schema.ts";
import { NO_CONDITIONS } from "./match_schema.ts";
import type { Path } from "./problem.ts";
import { leadsBack, type RedirectAction } from "./redirect_loop.ts";
import { poolsOfRoute } from "./route_pools.ts";
import type { RouteConfig } from "./route_schema.ts";
import type { RuleContext } from "./rules.ts";
import type { FilesAction } from "./snapshot.ts";
import { checkDatagrams } from "./udp_rules.ts";

export function checkListeners(context: RuleContext): void {
  const { listeners } = context.config;
  if (listeners.length === 0 && context.whole(["listeners"])) {
    context.error(
      ["listeners"],
      context.given(["listeners"]) ? "must have at least one listener" : "is required",
    );
  }
  for (const [at, listener] of listeners.entries()) {
    // kernel_rules.ts has those of its own.
    if (listener.forward !== "proxy") continue;
    checkDatagrams(context, listener, at);
    if (listener.protocol === "udp") continue;
    checkProtocol(context, listener, at);
    checkListenerChanges(context, listener, at);
    checkGuards(context, listener, at);
    checkTls(context, listener, at);
    checkClient(context, listener, at);
    checkRoutes(context, listener, at);
  }
  checkSharedLimits(context);
  checkAddresses(context);
}

interface Claim {
  readonly address: BindAddress;
  readonly datagrams: boolean;
  readonly path: Path;
  readonly owner: string;
}

/** Every address that this node would listen on, where it stands and what for. */
function addresses(context: RuleContext): Claim[] {
  const all: Claim[] = [];
  for (const [at, listener] of context.config.listeners.entries()) {
    const path = ["listeners", at, "bind"];
    for (const [index, address] of listener.bind.entries()) {
      const inList = context.given([...path, index]);
      all.push({
        address,
        datagrams: listener.protocol === "udp",
        path: inList ? [...path, index] : path,
        owner: `listener "${listener.name}"`,
      });
    }
  }
  const admin = context.config.admin;
  if (admin !== undefined) {
    all.push({ address: admin.bind, datagrams: false, path: ["admin", "bind"], owner: "admin" });
  }
  return all;
}

function checkAddresses(context: RuleContext): void {
  const all = addresses(context);
  for (const [at, one] of all.entries()) {
    const other = all.slice(0, at).find(({ address, datagrams }) =>
      datagrams === one.datagrams && overlap(address, one.address)
    );
    if (other === undefined) continue;
    const text = ({ host, port, lastPort }: BindAddress) =>
      formatHostPort(host, port) + (lastPort === undefined ? "" : `-${lastPort}`);
    const already = text(other.address) === text(one.address) ? "is" : `overlaps ${text(other.address)},`;
    context.error(one.path, `${already} the address of ${other.owner} already`);
  }
}

/** `::` takes IPv4 too; port 0 is another port every time. */
function overlap(one: BindAddress, other: BindAddress): boolean {
  const apart = one.port > (other.lastPort ?? other.port) || other.port > (one.lastPort ?? one.port);
  if (apart || one.port === 0) return false;
  if (one.host === other.host || one.host === "::" || other.host === "::") return true;
  const [a, b] = [parseIp(one.host)!, parseIp(other.host)!];
  return a.length === b.length && (isUnspecifiedIp(a) || isUnspecifiedIp(b));
}

const HTTP_ONLY: readonly Path[] = [
  ...["trustedProxies", "clientAddress", "hsts", "compress"].map((key) => [key]),
  ...["body", "request", "keepAlive", "tunnel"].map((key) => ["timeouts", key]),
  ...["head", "headers", "body", "bodyRate"].map((key) => ["limits", key]),
];
/** What http listeners speak, by ALPN's names. */
const HTTP_PROTOCOLS = new Set(["h2", "http/1.1", "http/1.0"]);
/** Conditions of a route that only a request can meet, and those that only a TLS connection can. */
const OF_REQUESTS = ["host", "path", "method", "headers", "query", "cookies", "client", "not"] as const;
const OF_HELLOS = ["sni", "alpn"] as const;

function checkProtocol(context: RuleContext, listener: ListenerConfig, at: number): void {
  if (listener.protocol !== "tcp") return;
  const path = ["listeners", at];
  for (const field of HTTP_ONLY) {
    if (context.given([...path, ...field])) {
      context.warn([...path, ...field], "has no effect on a tcp listener", "key");
    }
  }
  const waits = listener.proxyProtocol !== undefined || context.given([...path, "tls"]) ||
    listener.routes.some(({ match }) => readsHello(match));
  const whole = context.whole([...path, "routes"]) && context.whole([...path, "proxyProtocol"]);
  if (!waits && whole && context.given([...path, "timeouts", "head"])) {
    context.warn(
      [...path, "timeouts", "head"],
      "has no effect on a tcp listener without tls, proxyProtocol and routes that match on sni or alpn",
      "key",
    );
  }
}

function readsHello({ sni, alpn }: RouteConfig["match"]): boolean {
  return sni.length + alpn.length > 0;
}

/** Conditions and actions that a listener of this protocol has no use for. */
function checkRouteKind(
  context: RuleContext,
  { protocol, tls }: ListenerConfig,
  route: RouteConfig,
  path: Path,
): void {
  const foreign = protocol === "tcp" ? OF_REQUESTS : tls === undefined ? OF_HELLOS : ["alpn"];
  const why = protocol === "tcp"
    ? "cannot stand on a tcp listener, which sees no requests"
    : tls === undefined
    ? "needs tls, or a tcp listener, which passes TLS on unread"
    : "needs a tcp listener";
  for (const condition of foreign) {
    if (context.given([...path, "match", condition])) {
      context.error([...path, "match", condition], why, "key");
    }
  }
  if (protocol !== "tcp") return;
  const { action } = route;
  if (action.kind !== "pool" && action.kind !== "split") {
    context.error([...path, action.kind], "cannot stand on a tcp listener, only pool and split can", "key");
  }
  if (action.kind === "split" && action.hashOn !== null && action.hashOn.kind !== "sourceIp") {
    context.error([...path, "split", "hashOn"], "must be sourceIp on a tcp listener, which sees no requests");
  }
}

function checkCompress(
  context: RuleContext,
  { protocol }: ListenerConfig,
  { action }: RouteConfig,
  path: Path,
): void {
  if (!path.includes("routes") || !context.given([...path, "compress"])) return;
  if (protocol === "tcp") context.warn([...path, "compress"], "has no effect on a tcp listener", "key");
  else if (UNCOMPRESSED.includes(action.kind)) {
    context.warn([...path, "compress"], "has no effect: a redirect has no body", "key");
  }
}

function checkClient(context: RuleContext, listener: ListenerConfig, at: number): void {
  const path = ["listeners", at];
  const { protocol, clientAddress, trustedProxies } = listener;
  if (protocol !== "http" || clientAddress === undefined || trustedProxies.length > 0) return;
  if (!context.whole([...path, "trustedProxies"]) && context.given([...path, "trustedProxies"])) return;
  context.warn([...path, "clientAddress"], "has no effect without trustedProxies: nobody is believed", "key");
}

function checkTls(context: RuleContext, { protocol, tls, hsts }: ListenerConfig, at: number): void {
  const path = ["listeners", at];
  if (hsts !== undefined && tls === undefined) {
    context.warn([...path, "hsts"], "has no effect without tls: browsers believe it only over https", "key");
  }
  if (protocol === "http" && tls?.alpn !== undefined) {
    for (const [index, name] of tls.alpn.entries()) {
      if (HTTP_PROTOCOLS.has(name)) continue;
      context.error([...path, "tls", "alpn", index], "is not spoken here: h2 and http/1.1 are");
    }
  }
  if (protocol === "tcp" && context.given([...path, "redirectHttps"])) {
    context.error(
      [...path, "redirectHttps"],
      "cannot stand on a tcp listener, which sees no requests",
      "key",
    );
  }
}

function checkRoutes(context: RuleContext, listener: ListenerConfig, at: number): void {
  const coverage = new Coverage();
  for (const [index, route] of listener.routes.entries()) {
    const short = context.given(["listeners", at, "pool"]);
    const path = short ? ["listeners", at] : ["listeners", at, "routes", index];
    if (route.action.kind === "redirect") checkRedirect(context, listener, index, route.action, path);
    checkRouteChanges(context, listener, route, path);
    if (route.action.kind === "files") checkFiles(context, route, route.action, path);
    checkRouteKind(context, listener, route, path);
    checkCompress(context, listener, route, path);
    checkMirror(context, listener, route, path);
    checkRouteCache(context, listener, route, path);
    checkFailures(context, listener, route, path);
    if (!context.whole(path)) continue;
    const match = listener.protocol === "tcp" ? helloMatch(route.match) : route.match;
    const earlier = coverage.coveredBy(match);
    if (earlier === null) {
      coverage.add(match, index);
      continue;
    }
    const by = context.show(["listeners", at, "routes", earlier]);
    context.warn(path, `is never reached: ${by} takes all it would match`);
  }
}

/** What a route takes of TLS connections, as if it were of requests: names and words are compared the same way. */
function helloMatch({ sni, alpn }: RouteConfig["match"]): RouteConfig["match"] {
  return { ...NO_CONDITIONS, host: sni, method: alpn };
}

/** A directory may still come (a mount, a release that is copied): until then every answer is 404. */
function checkFiles(
  context: RuleContext,
  { match }: RouteConfig,
  { root, stripPrefix }: FilesAction,
  path: Path,
): void {
  if (!context.whole([...path, "files"])) return;
  const kind = context.pathKind(root);
  const where = [...path, "files", "root"];
  if (kind === "missing") context.warn(where, "is not there (yet): its files are answered with 404");
  if (kind === "other") context.error(where, "must be a directory");
  checkPrefix(context, match, stripPrefix, path, "files");
}

function checkMirror(
  context: RuleContext,
  { protocol }: ListenerConfig,
  route: RouteConfig,
  path: Path,
): void {
  const { action, mirror } = route;
  if (mirror === undefined) return;
  const here = [...path, "mirror"];
  if (protocol === "tcp") {
    context.error(here, "cannot stand on a tcp listener, which sees no requests", "key");
  } else if (action.kind !== "pool" && action.kind !== "split") {
    context.error(here, `has nothing to copy beside ${action.kind}; it stands beside pool or split`, "key");
  }
  if (poolsOfRoute({ action }).includes(mirror.pool)) {
    context.warn([...here, "pool"], "gets the requests themselves as well");
  }
  if (context.config.pools[mirror.pool]?.proxyProtocol !== undefined) {
    context.error([...here, "pool"], "cannot be one with proxyProtocol: a copy has no client");
  }
}

function checkRedirect(
  context: RuleContext,
  listener: ListenerConfig,
  index: number,
  action: RedirectAction,
  path: Path,
): void {
  const { names, isLost } = takenBy(context, listener.routes[index]!.match, path);
  const to = [...path, "redirect", "to"];
  const faults = redirectFaults(action.to, names, isLost);
  for (const { message, part } of faults) {
    context.error(to, message, "value", part === action.to ? undefined : part);
  }
  if (faults.length > 0 || !context.whole(["listeners"]) || !leadsBack(listener, index, action)) return;
  context.warn(to, "leads to this route again: the client is sent in a circle");
}
