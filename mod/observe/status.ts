/**
 * What one node says of itself: the model behind `/status`, `/metrics` and `tandem status`.
 *
 * Plain data, so that it is JSON as it is. Times are milliseconds; a point in time is milliseconds since 1970.
 */
import type { NamedCertificate } from "../config/named_certificates.ts";
import type { IssuerStatus } from "../acme/issuer_status.ts";
import type { LimitSnapshot } from "../config/guard_snapshot.ts";
import type { NameStatus } from "../discovery/name_book.ts";
import type { BreakerState } from "../base/breaker.ts";
import type { CacheAmounts } from "../base/cache_memory.ts";
import type { Histogram, ListenerCounter, ServerCounter } from "../base/counters.ts";

export interface NodeStatus {
  readonly node: string;
  readonly version: string;
  /** serving: takes traffic; draining: finishes what it has. */
  readonly state: "serving" | "draining";
  /** Of the snapshot in use. */
  readonly generation: number;
  readonly startedAt: number;
  readonly uptimeMs: number;
  readonly workers: readonly WorkerStatus[];
  /** Workers replaced since the start. */
  readonly workersReplaced: number;
  /** Lines of the access log that were given up, as their reader was too slow or the disk full. */
  readonly accessLinesDropped: number;
  /** Where the access log cannot be written, and why; "": it can. */
  readonly accessLogProblem: string;
  readonly listeners: readonly ListenerStatus[];
  readonly pools: readonly PoolStatus[];
  readonly limits: readonly LimitStatus[];
  readonly cache: CacheStatus;
  /** The host names among the servers, and how looking them up goes. */
  readonly names: readonly NameStatus[];
  /** Certificates that the configuration names and no listener shows. An older node does not tell. */
  readonly certificates?: readonly NamedCertificate[];
  /** The names whose certificates are had by ACME. */
  readonly acme: AcmeStatus;
  /** What health has found of servers since the start; the last 100, newest first. */
  readonly timeline: readonly ServerTransition[];
}

export interface ServerTransition {
  readonly at: number;
  readonly pool: string;
  readonly server: string;
  readonly from: ServerStatus["state"];
  readonly to: ServerStatus["state"];
  readonly why: string;
}

/** The stored answers of all workers together. */
export interface CacheStatus extends CacheAmounts {
  /** What they may take; 0: no route has a cache. */
  readonly maxBytes: number;
}

export interface AcmeStatus {
  /** True when this node is the one that asks the authority. */
  readonly active: boolean;
  readonly names: readonly IssuerStatus[];
}

export interface WorkerStatus {
  readonly index: number;
  /** As the runtime calls it: `starting`, `ready` … */
  readonly state: string;
  readonly since: number;
}

export interface ListenerStatus {
  readonly name: string;
  readonly protocol: string;
  /** `host:port`, an IPv6 address in brackets. */
  readonly binds: readonly string[];
  /** The certificates that it shows; empty: it does not terminate TLS. */
  readonly certificates: readonly CertificateStatus[];
  readonly counters: Readonly<Record<ListenerCounter, number>>;
  readonly latency: Histogram;
}

export interface CertificateStatus {
  /** The first of its names, or its file where it has none. */
  readonly name: string;
  readonly names: readonly string[];
  /** `CN=…,O=…` */
  readonly issuer: string;
  readonly file: string;
  readonly expiresAt: number;
  /** SHA-256, lower-case hex. */
  readonly fingerprint: string;
  /** True: it is had by ACME, or stands in for one that is to be. */
  readonly acme: boolean;
  /** True: made by ourselves, as none could be had yet. */
  readonly selfSigned: boolean;
}

export interface PoolStatus {
  readonly name: string;
  readonly balance: string;
  /** Requests that wait for a server now. */
  readonly queued: number;
  /** Absent: it has none. `opened`: how often, since the start. */
  readonly breaker?: { readonly state: BreakerState; readonly opened: number };
  /** Absent: its requests belong to no sessions. */
  readonly sessions?: SessionStatus;
  readonly servers: readonly ServerStatus[];
}

/** The sessions of a pool, and how its requests fared with them since the start. */
export interface SessionStatus {
  /** What they are told by. */
  readonly by: "cookie" | "table";
  /** Sessions in the table now, and how many fit; null: there is no table. */
  readonly entries: number | null;
  readonly size: number | null;
  /** Requests that went to the server of their session. */
  readonly hits: number;
  /** Requests of no known session. */
  readonly misses: number;
  /** Sessions whose server could not be used, and that were put on another. */
  readonly moved: number;
  /** Sessions forgotten before their time, for lack of room. */
  readonly evictions: number;
}

/** A limit of listeners or routes, and what became of requests since the start. */
export interface LimitStatus {
  readonly kind: LimitSnapshot["kind"];
  readonly name: string;
  /** It refuses nothing. */
  readonly dryRun: boolean;
  /** Keys that are remembered now, and how many fit. */
  readonly entries: number;
  readonly size: number;
  readonly passed: number;
  readonly delayed: number;
  readonly refused: number;
  /** Let through by a dry run. */
  readonly wouldRefuse: number;
  /** Keys forgotten before their time, for lack of room. */
  readonly evictions: number;
}

export interface ServerStatus {
  readonly name: string;
  /** Its number in shared memory, the same for as long as it is in the configuration. */
  readonly slot: number;
  /** `host:port` */
  readonly address: string;
  /** As health sees it. `unchecked` has no check; `unknown` has had no probe yet. Both take traffic. */
  readonly state: "unknown" | "up" | "down" | "ejected" | "unchecked";
  /** As the operator wants it, or its agent where that lets less through. */
  readonly admin: "ready" | "drain" | "maint";
  /** When `state` began. */
  readonly since: number;
  /** Why, in words. */
  readonly reason: string;
  /** Effective weight now; a slow start makes it a fraction of the configured one. */
  readonly weight: number;
  readonly backup: boolean;
  /** Requests or connections under way. */
  readonly active: number;
  readonly counters: Readonly<Record<ServerCounter, number>>;
}

/** True when new requests may go to the server, as far as health and the operator are concerned. */
export function takesTraffic(server: ServerStatus): boolean {
  return server.admin === "ready" && server.state !== "down" && server.state !== "ejected";
}
