/**
 * Makes the live configuration of a worker from a snapshot: balancers, route tables, trust. Pure; what can be kept
 * of the configuration before (balancers' state, retry budgets) is.
 */
import { blockTest } from "../base/address.ts";
import { Breaker, type BreakerState } from "../base/breaker.ts";
import type { OpenMemory } from "../base/shared_memory.ts";
import type { StickMemory } from "../balance/stick_table.ts";
import { PoolBalancer } from "../balance/pool.ts";
import { poolsOfRoute } from "../config/route_pools.ts";
import type { FallbackSnapshot } from "../config/failure_snapshot.ts";
import type {
  CertificateSnapshot,
  ListenerSnapshot,
  MirrorSnapshot,
  PoolSnapshot,
  ResponseRules,
  RouteSnapshot,
  ServerTlsSnapshot,
  Snapshot,
  SplitAction,
  TlsSnapshot,
} from "../config/snapshot.ts";
import { fromLatin1 } from "../http/grammar.ts";
import type { Passwords, Tokens } from "../guard/identity.ts";
import type { LimitMemory } from "../guard/limit_memory.ts";
import { makeConnectionLimit, makeGuards } from "../guard/guards.ts";
import type { Dialer } from "../net/stream.ts";
import { CLIENT_FIELDS } from "../http/client_address.ts";
import type { MakeTls } from "../net/tls.ts";
import type { RouteTable } from "../route/match.ts";
import { capturesOf } from "../route/captures.ts";
import { wholeCondition } from "../route/condition.ts";
import { HeaderEdit } from "../route/header_edit.ts";
import { filledBodyOf } from "../route/respond.ts";
import { redirectOf } from "../route/redirect.ts";
import { needsHello, SniTable } from "../route/sni.ts";
import { Split } from "../route/split.ts";
import type {
  LiveFallback,
  LiveListener,
  LiveMirror,
  LivePool,
  LiveRoute,
  LiveSplit,
} from "./environment.ts";
import type { GuardsSnapshot } from "../config/guard_snapshot.ts";
import { CorsEdits } from "./cors_edits.ts";
import { LivePages } from "./error_pages.ts";
import { Latencies } from "./latencies.ts";
import { onTerms } from "./on_terms.ts";
import { RequestRouter } from "./facts.ts";
import { requestEdit } from "./request_edit.ts";
import { RetryBudget } from "./retry.ts";
import { poolSticky } from "./sticky.ts";
import { Tracing, type WriteHex } from "./tracing.ts";

export interface LiveOptions {
  readonly memory: OpenMemory;
  readonly worker: number;
  /** Memory of the sessions, by the name of their pool. */
  readonly sticks?: ReadonlyMap<string, StickMemory>;
  /** Memory of the limits, by what they are known by. */
  readonly limits?: ReadonlyMap<string, LimitMemory>;
  /** Check credentials. */
  readonly passwords?: Passwords;
  readonly tokens?: Tokens;
  readonly random: () => number;
  readonly onBreaker?: (pool: string, state: BreakerState) => void;
  /** Makes what connects to the servers of a pool over TLS. */
  readonly tlsDialer?: (tls: ServerTlsSnapshot) => Dialer;
  /** Makes what connects to servers in HTTP/2, over a dialer of the pool's own or (null) the plain one. */
  readonly http2Dialer: (below: Dialer | null, scheme: "http" | "https", connectMs: number) => Dialer;
  /** Writes random digits for the ids of traces. */
  readonly writeHex: WriteHex;
  /** Builds a route table; given from above, as hono lives there. */
  readonly buildTable: (routes: readonly RouteSnapshot[]) => RouteTable;
  /** Given from above, as it is the runtime's. */
  readonly makeTls: MakeTls;
}

export interface Live {
  readonly snapshot: Snapshot;
  readonly pools: ReadonlyMap<string, LivePool>;
  readonly listeners: ReadonlyMap<string, LiveListener>;
}

/** Builds everything anew; throws when a route table or TLS cannot be made, and then nothing has changed. */
export function buildLive(snapshot: Snapshot, before: Live | null, options: LiveOptions): Live {
  const measured = hedgesByQuantile(snapshot);
  const pools = new Map(
    snapshot.pools.map((
      pool,
    ) => [pool.name, livePool(pool, before?.pools.get(pool.name), measured, options)]),
  );
  const told: Pick<LiveListener, "logged" | "traced"> = {
    logged: snapshot.log.access !== "off",
    traced: snapshot.tracing === undefined
      ? null
      : { tracing: new Tracing(snapshot.tracing), writeHex: options.writeHex },
  };
  const listeners = new Map(
    snapshot.listeners.map((each) => {
      const acceptors = acceptorsOf(each, before?.listeners.get(each.name), options);
      return [each.name, liveListener(each, pools, told, acceptors, options)];
    }),
  );
  return { snapshot, pools, listeners };
}

/** True when what is slow is told by what is usual, so that this has to be known. */
function hedgesByQuantile({ pools, listeners }: Snapshot): boolean {
  const terms = listeners.flatMap(({ routes }) => routes.map(({ terms }) => terms?.retry));
  return [...pools.map(({ retry }) => retry), ...terms].some((retry) =>
    typeof retry?.hedge === "object" && "quantile" in retry.hedge
  );
}

function livePool(
  snapshot: PoolSnapshot,
  before: LivePool | undefined,
  measured: boolean,
  options: LiveOptions,
): LivePool {
  const { memory: { slots, queue }, worker, random } = options;
  const previous = before === undefined ? {} : { previous: before.balancer };
  const sameBudget = before?.budget.share === snapshot.retry.budget;
  return {
    snapshot,
    balancer: new PoolBalancer(snapshot, { slots, queue, worker, random, ...previous }),
    random,
    breaker: poolBreaker(snapshot, options),
    latencies: measured ? before?.latencies ?? new Latencies() : null,
    sticky: poolSticky(snapshot, options.sticks?.get(snapshot.name), worker),
    budget: sameBudget ? before!.budget : new RetryBudget(snapshot.retry.budget),
    dialer: keepsDialer(snapshot, before) ? before.dialer : poolDialer(snapshot, options),
    fallbackHost: fromLatin1(snapshot.name),
  };
}

function poolBreaker({ name, row, breaker }: PoolSnapshot, options: LiveOptions): Breaker | null {
  const { memory: { breakers }, onBreaker } = options;
  return breaker === undefined
    ? null
    : new Breaker(breakers, row, breaker, (state) => onBreaker?.(name, state));
}

/** One of HTTP/2 has connections to servers that may be gone. */
function keepsDialer(snapshot: PoolSnapshot, before: LivePool | undefined): before is LivePool {
  return before !== undefined && same(before.snapshot.tls, snapshot.tls) &&
    before.snapshot.http2 !== true && snapshot.http2 !== true;
}

/** Never plain where TLS is meant: without a maker of such dialers the snapshot is refused. */
function poolDialer({ name, tls, http2, timeouts }: PoolSnapshot, options: LiveOptions): Dialer | null {
  const { tlsDialer, http2Dialer } = options;
  if (tls !== undefined && tlsDialer === undefined) {
    throw new Error(`Cannot use pool ${name} as nothing connects over TLS here`);
  }
  const below = tls === undefined ? null : tlsDialer!(tls);
  if (http2 !== true) return below;
  return http2Dialer(below, tls === undefined ? "http" : "https", timeouts.connectMs);
}

function liveListener(
  snapshot: ListenerSnapshot,
  pools: ReadonlyMap<string, LivePool>,
  told: Pick<LiveListener, "logged" | "traced">,
  acceptors: Pick<LiveListener, "tls" | "proofs">,
  options: LiveOptions,
): LiveListener {
  const shared = sharedOf(snapshot);
  return {
    snapshot,
    routes: snapshot.routes.map((route) => liveRoute(route, snapshot, shared, pools, options)),
    router: new RequestRouter(options.buildTable(snapshot.routes)),
    trusts: blockTest(snapshot.trustedProxies),
    clientFields: snapshot.clientAddress === undefined ? CLIENT_FIELDS : [snapshot.clientAddress],
    ...told,
    sendsHeader: snapshot.proxyProtocol === undefined ? null : blockTest(snapshot.proxyProtocol.from),
    sni: needsHello(snapshot.routes) || isStuckBySni(snapshot, pools) ? new SniTable(snapshot.routes) : null,
    ...acceptors,
    requestEdit: null,
    answerEdit: shared.answerEdit,
    cors: corsEdits(snapshot.guards, [snapshot.securityHeaders, snapshot.headers?.response]),
    pages: shared.pages,
    ...makeGuards(snapshot.protocol, snapshot.guards, options),
    connectionLimit: makeConnectionLimit(snapshot.connectionLimit, options),
    hsts: fromLatin1(snapshot.hsts === "" ? "" : `Strict-Transport-Security: ${snapshot.hsts}\r\n`),
  };
}

/** What all routes of a listener have that say nothing of their own. */
type Shared = Pick<LiveRoute, "requestEdit" | "answerEdit" | "pages">;

function sharedOf({ headers, securityHeaders, errorPages }: ListenerSnapshot): Shared {
  return {
    requestEdit: requestEdit([headers?.request], undefined),
    answerEdit: answerEdit([securityHeaders, headers?.response]),
    pages: errorPages === undefined ? null : new LivePages(errorPages, null),
  };
}

function liveRoute(
  route: RouteSnapshot,
  { protocol, headers: ofListener, securityHeaders: preset }: ListenerSnapshot,
  shared: Shared,
  pools: ReadonlyMap<string, LivePool>,
  options: LiveOptions,
): LiveRoute {
  const { match, action, headers, rewrite, errorPages, securityHeaders, claims } = route;
  const answerRules = [securityHeaders, ofListener?.response, headers?.response];
  const sameRules = headers?.response === undefined && same(securityHeaders, preset);
  const changesRequest = headers?.request !== undefined || rewrite !== undefined || claims !== undefined;
  return {
    snapshot: route,
    action,
    pool: action.kind === "pool" ? onTerms(pools.get(action.pool)!, route.terms) : null,
    split: action.kind === "split" ? liveSplit(action, route, pools, options) : null,
    next: route.next === undefined
      ? null
      : new Map(route.next.map((name) => [name, onTerms(pools.get(name)!, route.terms)])),
    fallback: route.fallback === undefined ? null : liveFallback(route.fallback, route, pools),
    mirror: route.mirror === undefined ? null : liveMirror(route.mirror, pools, options),
    cache: route.cache === undefined
      ? null
      : { snapshot: route.cache, bypass: route.cache.bypass.map(wholeCondition) },
    captures: capturesOf(match),
    requestEdit: action.kind !== "pool" && action.kind !== "split"
      ? null
      : changesRequest
      ? requestEdit([ofListener?.request, claims, headers?.request], rewrite)
      : shared.requestEdit,
    answerEdit: sameRules ? shared.answerEdit : answerEdit(answerRules),
    cors: corsEdits(route.guards, answerRules),
    pages: errorPages === undefined ? shared.pages : new LivePages(errorPages, shared.pages),
    redirect: action.kind === "redirect" ? redirectOf(action.to) : null,
    body: action.kind === "respond" && action.filled === true
      ? filledBodyOf(action.body, action.contentType)
      : null,
    encodedBodies: action.kind === "respond" && action.filled !== true ? new Map() : null,
    ...makeGuards(protocol, route.guards, options),
  };
}

function corsEdits(
  guards: GuardsSnapshot | undefined,
  rules: readonly (ResponseRules | undefined)[],
): CorsEdits | null {
  if (guards?.cors === undefined) return null;
  return new CorsEdits(guards.cors, rules.filter((one) => one !== undefined));
}

function answerEdit(rules: readonly (ResponseRules | undefined)[]): HeaderEdit | null {
  const given = rules.filter((one) => one !== undefined);
  return given.length === 0 ? null : new HeaderEdit(given, true);
}

function liveSplit(
  { pools: shares, hashOn }: SplitAction,
  { terms }: RouteSnapshot,
  pools: ReadonlyMap<string, LivePool>,
  { random }: LiveOptions,
): LiveSplit {
  const parts = new Split(
    shares.map(({ pool, weight }) => ({ item: onTerms(pools.get(pool)!, terms), weight })),
  );
  return { parts, hashOn, random };
}

function liveFallback(
  snapshot: FallbackSnapshot,
  { terms }: RouteSnapshot,
  pools: ReadonlyMap<string, LivePool>,
): LiveFallback {
  const { pool } = snapshot;
  return { snapshot, pool: pool === undefined ? null : onTerms(pools.get(pool)!, terms) };
}

function liveMirror(
  snapshot: MirrorSnapshot,
  pools: ReadonlyMap<string, LivePool>,
  { random }: LiveOptions,
): LiveMirror {
  return { snapshot, pool: pools.get(snapshot.pool)!, random, pending: 0 };
}

/** True when sessions are told by what is in a ClientHello that is passed on unread otherwise. */
function isStuckBySni(
  { protocol, tls, routes }: ListenerSnapshot,
  pools: ReadonlyMap<string, LivePool>,
): boolean {
  if (protocol !== "tcp" || tls !== null) return false;
  return routes.flatMap(poolsOfRoute).some((name) => {
    const { sticky } = pools.get(name)!.snapshot;
    return sticky?.kind === "table" && sticky.by.some(({ kind }) => kind === "sni");
  });
}

function acceptorsOf(
  { name, tls }: ListenerSnapshot,
  before: LiveListener | undefined,
  { makeTls }: LiveOptions,
): Pick<LiveListener, "tls" | "proofs"> {
  if (tls === null) return { tls: null, proofs: null };
  const { proofs = [], ...terms } = tls;
  const { proofs: _, ...termsBefore } = before?.snapshot.tls ?? {};
  try {
    return {
      tls: before?.tls && same(termsBefore, terms) ? before.tls : makeTls(terms),
      proofs: proofs.length === 0 ? null : makeTls(proofTerms(proofs)),
    };
  } catch (error) {
    throw new Error(`listener ${name}: ${(error as Error).message}`);
  }
}

/** RFC 8737 section 3: this protocol alone, and nothing for a name that is not being looked at. */
function proofTerms(certificates: readonly CertificateSnapshot[]): TlsSnapshot {
  return { certificates, minVersion: "1.2", alpn: ["acme-tls/1"], strictSni: true, clientAuth: null };
}

/** What takes files to be read, and knows sessions, is made anew only where its terms are others. */
function same(before: unknown, now: unknown): boolean {
  return JSON.stringify(before) === JSON.stringify(now);
}
