/**
 * What a data worker gives its sessions: time, buffers, deadlines, a dialer, counters and the live configuration.
 * Sessions see nothing else of the world, so that the simulator can give them all of it.
 */
import type { Breaker } from "../base/breaker.ts";
import type { Counters } from "../base/counters.ts";
import type { PoolBalancer } from "../balance/pool.ts";
import type { FallbackSnapshot } from "../config/failure_snapshot.ts";
import type { CacheSnapshot } from "../config/cache_snapshot.ts";
import type {
  HashOn,
  ListenerSnapshot,
  MirrorSnapshot,
  PoolSnapshot,
  RouteAction,
  RouteSnapshot,
} from "../config/snapshot.ts";
import type { ResponseCache } from "../cache/response_cache.ts";
import type { Compressors } from "../compress/compressor.ts";
import type { FileStore } from "../files/store.ts";
import type { Access } from "../guard/access.ts";
import type { Concurrency } from "../guard/concurrency.ts";
import type { Guard } from "../guard/guard.ts";
import type { TraceContext } from "../http/trace_context.ts";
import type { BufferPool } from "../net/buffers.ts";
import type { Dialer } from "../net/stream.ts";
import type { TlsAcceptor } from "../net/tls.ts";
import type { IdleConnections } from "../net/idle.ts";
import type { Wheel } from "../net/wheel.ts";
import type { Capturing } from "../route/captures.ts";
import type { Condition } from "../route/condition.ts";
import type { HeaderEdit } from "../route/header_edit.ts";
import type { Redirect } from "../route/redirect.ts";
import type { FilledBody } from "../route/respond.ts";
import type { SniTable } from "../route/sni.ts";
import type { Split } from "../route/split.ts";
import type { AccessRecord } from "./access_log.ts";
import type { CorsEdits } from "./cors_edits.ts";
import type { LivePages } from "./error_pages.ts";
import type { HeadFacts, RequestRouter } from "./facts.ts";
import type { Latencies } from "./latencies.ts";
import type { EncodedBodies } from "./own_compression.ts";
import type { RequestEdit } from "./request_edit.ts";
import type { Traced } from "./request_head.ts";
import type { RetryBudget } from "./retry.ts";
import type { PoolSticky } from "./sticky.ts";
import type { ServerConnection } from "./server_connection.ts";

/** Why there is no TLS connection to a server. */
export interface TlsTrouble {
  readonly pool: string;
  readonly server: string;
  readonly slot: number;
  /** For people. */
  readonly reason: string;
}

/** A pool as one worker uses it; a reload makes a new one and old requests finish on the old. */
export interface LivePool {
  readonly snapshot: PoolSnapshot;
  readonly balancer: PoolBalancer;
  readonly budget: RetryBudget;
  /** How long its servers take; null: nobody asks. */
  readonly latencies: Latencies | null;
  /** Null: every request is tried. */
  readonly breaker: Breaker | null;
  readonly random: () => number;
  /** Null: its requests belong to no sessions. */
  readonly sticky: PoolSticky | null;
  /** Connects over TLS; null: the environment's plain one does. */
  readonly dialer: Dialer | null;
  /** `Host` for requests that came without one. */
  readonly fallbackHost: Uint8Array;
}

/** Several pools, one of which gets a request. */
export interface LiveSplit {
  readonly parts: Split<LivePool>;
  /** Null: chance. */
  readonly hashOn: HashOn | null;
  readonly random: () => number;
}

/** What gets copies of a route's requests. */
export interface LiveMirror {
  readonly snapshot: MirrorSnapshot;
  readonly pool: LivePool;
  readonly random: () => number;
  /** Copies under way. */
  pending: number;
}

/** What a request gets when its pool fails it: a pool, or an answer. */
export interface LiveFallback {
  readonly snapshot: FallbackSnapshot;
  readonly pool: LivePool | null;
}

/** How the answers of a route are stored. */
export interface LiveCache {
  readonly snapshot: CacheSnapshot;
  /** Requests for which any holds have nothing to do with it. */
  readonly bypass: readonly Condition[];
}

export interface LiveRoute {
  readonly snapshot: RouteSnapshot;
  readonly action: RouteAction;
  /** Null unless the action is a pool. */
  readonly pool: LivePool | null;
  /** Null unless the action is a split. */
  readonly split: LiveSplit | null;
  /** The pools that its function may hand requests on to, by name; null: it may not, or there is none. */
  readonly next: ReadonlyMap<string, LivePool> | null;
  readonly mirror: LiveMirror | null;
  /** Null: an error is an error. */
  readonly fallback: LiveFallback | null;
  /** Null: answers are not stored. */
  readonly cache: LiveCache | null;
  /** What its conditions take of a request. */
  readonly captures: Capturing;
  /** What is changed in requests to its servers; null: nothing. */
  readonly requestEdit: RequestEdit | null;
  /** What is changed in answers; null: nothing. */
  readonly answerEdit: HeaderEdit | null;
  /** The same where it depends on the origin of the request; null: it does not. */
  readonly cors: CorsEdits | null;
  /** Null: errors are answered with a line of text, servers' errors passed on. */
  readonly pages: LivePages | null;
  /** Null unless the action is a redirect. */
  readonly redirect: Redirect | null;
  /** Null unless the action is an answer whose body has variables. */
  readonly body: FilledBody | null;
  /** What is remembered of such a body when it has no variables; null: nothing is. */
  readonly encodedBodies: EncodedBodies | null;
  /** Asked before anything is done with a request; null: nobody is. */
  readonly guards: readonly Guard[] | null;
  /** Of a tcp listener: whose connections are passed on; null: everybody's. */
  readonly access: readonly Access[] | null;
}

/** A listener's present configuration. `ListenerState.live` is swapped on reload, between two requests. */
export interface LiveListener {
  readonly snapshot: ListenerSnapshot;
  readonly routes: readonly LiveRoute[];
  readonly router: RequestRouter;
  /** True when the `X-Forwarded-*` of this peer are believed. */
  readonly trusts: (address: string) => boolean;
  /** The fields, in lower case, the first of which that comes tells whose request it is. */
  readonly clientFields: readonly string[];
  readonly logged: boolean;
  /** Null: its requests and connections are not traced. */
  readonly traced: Traced | null;
  /** True when the connections of this peer begin with a PROXY header; null: nobody's do. */
  readonly sendsHeader: ((address: string) => boolean) | null;
  /** Null where no ClientHello is needed to find the route. */
  readonly sni: SniTable | null;
  /** Null: connections are not encrypted. */
  readonly tls: TlsAcceptor | null;
  /** Shows an authority what it wants to see before it issues a certificate; null: none asks just now. */
  readonly proofs: TlsAcceptor | null;
  /** The line of `Strict-Transport-Security` with its CR LF, or nothing. */
  readonly hsts: Uint8Array;
  /** As in a route, for requests that none takes: they go to no server. */
  readonly requestEdit: null;
  readonly answerEdit: HeaderEdit | null;
  readonly cors: CorsEdits | null;
  readonly pages: LivePages | null;
  readonly guards: readonly Guard[] | null;
  readonly access: readonly Access[] | null;
  /** Of one address; null: as many as there may be of all. */
  readonly connectionLimit: Concurrency | null;
}

export interface ListenerState {
  live: LiveListener;
  /** Finish what is under way, then close: the listener was removed or the node drains. */
  draining: boolean;
}

export interface ProxyEnvironment {
  readonly buffers: BufferPool;
  readonly wheel: Wheel;
  readonly dialer: Dialer;
  readonly idle: IdleConnections<ServerConnection>;
  /** Connections of HTTP/2 to servers, to be closed in the end. */
  readonly upstreams: Set<{ close(): void }>;
  readonly counters: Counters;
  readonly facts: HeadFacts;
  readonly files: FileStore;
  readonly compressors: Compressors;
  readonly cache: ResponseCache;
  /** Milliseconds on a clock that never jumps. */
  now(): number;
  /** Milliseconds since the epoch, for the log. */
  wallClock(): number;
  /** Runs a task soon, outside of all other calls. */
  soon(task: () => void): void;
  /** Value of `Date`, made once a second. */
  httpDate(): string;
  /** Writes a fresh request id (ASCII) and returns the offset behind it. */
  writeRequestId(out: Uint8Array, at: number): number;
  /** A server was reached and no TLS came of it. */
  onTlsFailure?(failure: TlsTrouble): void;
  /** Appends to the access log; the record is good only during the call. */
  logAccess(record: AccessRecord): void;
  /** Takes the span of a request or connection that was traced and sampled; as `logAccess`. */
  logSpan(record: AccessRecord, trace: TraceContext): void;
}
