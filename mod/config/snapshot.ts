/**
 * The snapshot: the whole configuration of one node, resolved, checked and immutable, as the data workers get it.
 *
 * Plain data (numbers, strings, arrays), so that it crosses to a worker by message. Durations are milliseconds,
 * sizes are bytes, 0 means "no limit" where a limit is meant. It knows nothing of YAML or of sockets.
 */
import type { CheckType } from "../health/kinds.ts";
import type {
  BreakerSnapshot,
  FallbackSnapshot,
  PoolTerms,
  RequestTimeouts,
  RetrySnapshot,
} from "./failure_snapshot.ts";
import type { CacheSnapshot, CacheStoreSnapshot } from "./cache_snapshot.ts";
import type { ConcurrencySnapshot, GuardsSnapshot } from "./guard_snapshot.ts";
import type { StickySnapshot } from "./sticky_snapshot.ts";

export interface Snapshot {
  /** Rises by one with every accepted reload or change of a pool's members. */
  readonly generation: number;
  readonly node: string;
  readonly listeners: readonly ListenerSnapshot[];
  readonly pools: readonly PoolSnapshot[];
  readonly log: { readonly level: string; readonly format: "text" | "json"; readonly access: AccessFormat };
  /** Absent: nothing is traced. */
  readonly tracing?: TracingSnapshot;
  /** Absent: no route stores answers. */
  readonly cache?: CacheStoreSnapshot;
}

/** How requests are traced. */
export interface TracingSnapshot {
  /** Of the traces that begin here, 0 to 1. */
  readonly sample: number;
  /** Whose traces are gone on with. */
  readonly parents: "all" | "trusted" | "none";
}

export type AccessFormat = "off" | "json" | "combined" | "haproxy";

export interface ListenerSnapshot {
  readonly name: string;
  /** Row of this listener in the shared counters; the same for one name across reloads. */
  readonly row: number;
  /** Every address it is bound to; `:8080` has become `[::]:8080`, which takes IPv4 too. */
  readonly binds: readonly { readonly host: string; readonly port: number }[];
  readonly protocol: "http" | "tcp" | "udp";
  /** Of a listener of UDP. */
  readonly udp?: UdpSnapshot;
  /** CIDR blocks whose `X-Forwarded-*` and `Forwarded` are believed. */
  readonly trustedProxies: readonly string[];
  /** The field, in lower case, in which those tell the client's address; absent: `X-Forwarded-For` or `Forwarded`. */
  readonly clientAddress?: string;
  /** CIDR blocks whose connections begin with a PROXY header; absent: none. */
  readonly proxyProtocol?: { readonly from: readonly string[] };
  readonly timeouts: RequestTimeouts & {
    readonly headMs: number;
    readonly keepAliveMs: number;
    readonly idleMs: number;
  };
  readonly limits: RequestLimits & {
    /** Least bytes of a body a second, over all; 0: none. */
    readonly bodyRate: number;
    readonly connections: number;
  };
  /** Null: connections are not encrypted. */
  readonly tls: TlsSnapshot | null;
  /** Value of `Strict-Transport-Security` in every answer; empty: none. */
  readonly hsts: string;
  /** Tried in order, the first match wins. Those of a tcp listener are pools, with no conditions but `tls`. */
  readonly routes: readonly RouteSnapshot[];
  /** Applied on every route before its own; absent: none. */
  readonly headers?: HeadersSnapshot;
  /** For what the route has none of its own for; absent: none. */
  readonly errorPages?: ErrorPages;
  /** Of requests that no route takes; on a tcp listener also of every connection. Absent: none. */
  readonly guards?: GuardsSnapshot;
  /** Of requests that no route takes; absent: none. */
  readonly securityHeaders?: ResponseRules;
  /** How many connections of one address there may be; absent: no limit. */
  readonly connectionLimit?: ConcurrencySnapshot;
}

export interface UdpSnapshot {
  readonly idleMs: number;
  /** Answers to each datagram after which a client is forgotten; 0: any number. */
  readonly answers: number;
}

export interface TlsSnapshot {
  /** At least one; the first is for clients that ask for no name, or for one that is in none. */
  readonly certificates: readonly CertificateSnapshot[];
  readonly minVersion: "1.2" | "1.3";
  /** Protocols offered by ALPN, the most wanted first; empty: none. */
  readonly alpn: readonly string[];
  /** Clients that ask for a name that no certificate has are refused. */
  readonly strictSni: boolean;
  readonly clientAuth: { readonly mode: "optional" | "required"; readonly ca: string } | null;
  /** Shown to an authority that asks in the protocol `acme-tls/1` (RFC 8737); absent: none asks just now. */
  readonly proofs?: readonly CertificateSnapshot[];
}

export interface CertificateSnapshot {
  /** Where it was read from. */
  readonly certFile: string;
  /** PEM: the certificate and its chain. */
  readonly cert: string;
  /** PEM. A secret: it must not be shown anywhere. */
  readonly key: string;
  /** Lower case; exact or `*.example.com`. */
  readonly names: readonly string[];
  /** `CN=…,O=…` */
  readonly issuer: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** SHA-256 of the certificate, lower-case hex. */
  readonly fingerprint: string;
  /** By whom it is had: an authority by ACME, or by ourselves until there is one; absent: it was configured. */
  readonly had?: "acme" | "selfSigned";
}

/** Largest head and body of a request, and most fields; a body of 0: no limit. */
export interface RequestLimits {
  readonly head: number;
  readonly headers: number;
  readonly body: number;
}

export interface RouteSnapshot {
  /** What people know it by: host and path that it is for, `*`: any. Absent: it is none of the configuration. */
  readonly label?: string;
  /** Its row in the shared counters of pools and routes; absent: it is not counted by itself. */
  readonly row?: number;
  readonly match: RouteMatch;
  readonly action: RouteAction;
  /** Beside the pool of a function: those that it may pass requests on to, the usual one first; absent: none. */
  readonly next?: readonly string[];
  /** Only beside pools; absent: none. */
  readonly mirror?: MirrorSnapshot;
  /** Only beside pools; absent: an error is an error. */
  readonly fallback?: FallbackSnapshot;
  /** Absent: requests go to servers for what they came. */
  readonly rewrite?: RewriteSnapshot;
  /** Absent: no rules. */
  readonly headers?: HeadersSnapshot;
  /** Absent: the listener's. */
  readonly errorPages?: ErrorPages;
  /** Absent: answers leave as they come. */
  readonly compress?: CompressSnapshot;
  /** Absent: answers are not stored. */
  readonly cache?: CacheSnapshot;
  /** The listener's and its own; absent: none. */
  readonly guards?: GuardsSnapshot;
  /** Of answers, before the rules of `headers`; absent: none. */
  readonly securityHeaders?: ResponseRules;
  /** Absent: the listener's. */
  readonly limits?: RequestLimits;
  /** Absent: the listener's. */
  readonly timeouts?: RequestTimeouts;
  /** In the place of what its pools say; absent: nothing is. */
  readonly terms?: PoolTerms;
  /** Of requests: what servers are told of tokens, after the listener's and before the route's own rules; absent: nothing. */
  readonly claims?: HeaderRules;
}

/** What a route makes of path, query and host. Texts are templates. */
export interface RewriteSnapshot {
  /** Stands in the place of the whole path; null: what came. */
  readonly path: string | null;
  /** Empty, or a path without a slash at its end; taken off first. */
  readonly stripPrefix: string;
  /** Done next, in order: the part that the expression matches becomes the text. */
  readonly replace: readonly { readonly match: string; readonly with: string }[];
  /** Empty, or a path without a slash at its end; put in front last. */
  readonly addPrefix: string;
  /** The whole query, or rules for parameters; null: what came. */
  readonly query: string | QueryRules | null;
  /** Null: what came. */
  readonly host: string | null;
}

export type TemplatePairs = readonly (readonly [name: string, template: string])[];

export interface QueryRules {
  readonly set: TemplatePairs;
  readonly add: TemplatePairs;
  /** Names, or with `*` at the end beginnings of names. */
  readonly remove: readonly string[];
}

export interface HeadersSnapshot {
  readonly request?: HeaderRules;
  readonly response?: ResponseRules;
}

export interface HeaderRules {
  /** Lower case; with `*` at the end beginnings of names. */
  readonly remove: readonly string[];
  /** In fields that are there: the part of the value that the expression matches becomes the text. Lower-case name. */
  readonly replace: readonly { readonly name: string; readonly match: string; readonly with: string }[];
  /** Instead of what is there. */
  readonly set: TemplatePairs;
  /** Beside what is there. */
  readonly add: TemplatePairs;
}

/** For answers, where servers are to be seen as their clients see them: what is there, and what it becomes. */
export interface ResponseRules extends HeaderRules {
  readonly location: TemplatePairs;
  readonly cookieDomain: TemplatePairs;
  readonly cookiePath: TemplatePairs;
}

export interface ErrorPages {
  /** The first whose range holds the status counts. */
  readonly pages: readonly ErrorPage[];
  /** Whether servers' answers of these statuses are replaced too; absent: as the listener says, or not. */
  readonly intercept?: boolean;
}

/** For the statuses from `first` to `last`. */
export interface ErrorPage {
  readonly first: number;
  readonly last: number;
  readonly body: string;
  readonly contentType: string;
}

/** How answers are compressed. */
export interface CompressSnapshot {
  /** What is offered, best first. */
  readonly encodings: readonly ("zstd" | "br" | "gzip")[];
  /** Lower case, without parameters; `text/*` for all of a kind. */
  readonly types: readonly string[];
  readonly minSize: number;
  readonly levels: Readonly<Record<"zstd" | "br" | "gzip", number>>;
}

/** Copies of requests go to another pool, whose answers are thrown away. */
export interface MirrorSnapshot {
  readonly pool: string;
  /** Of the requests, above 0 to 1. */
  readonly share: number;
  /** Largest body of a request that is copied. */
  readonly body: number;
  /** Most copies under way at a time, in each worker. */
  readonly requests: number;
}

/** All given conditions must hold; an empty match holds always. A text that begins with `~` is an expression. */
export interface RouteMatch {
  /** Lower case; exact, `*.example.com` (one or more labels), or an expression. Empty: any host. */
  readonly hosts: readonly string[];
  /** A path in hono's syntax (`/users/:id`, `/static/*`), or an expression; absent: any. */
  readonly path?: string;
  /** Upper case; empty: any. */
  readonly methods: readonly string[];
  /** By lower-case name. */
  readonly headers: readonly (readonly [name: string, test: FieldTest])[];
  readonly query: readonly (readonly [name: string, test: FieldTest])[];
  /** Absent or empty: any. */
  readonly cookies?: readonly (readonly [name: string, test: FieldTest])[];
  /** CIDR blocks, one of which the client's address must be in; absent or empty: any. */
  readonly clients?: readonly string[];
  /** None of these may hold; they have no such list themselves. */
  readonly not?: readonly RouteMatch[];
  /** Of the connection; absent: any, of TLS or not. */
  readonly tls?: TlsMatch;
}

/** What a value must be: this text or expression, one of these texts, there at all (true), or not there (false). */
export type FieldTest = string | readonly string[] | boolean;

/** What a client must ask for in TLS. */
export interface TlsMatch {
  /** Lower case; exact, or `*.example.com` (one or more labels). Empty: any name, and none. */
  readonly sni: readonly string[];
  /** One of these must be among the protocols that the client offers. Empty: any. */
  readonly alpn: readonly string[];
}

export type RouteAction =
  | { readonly kind: "pool"; readonly pool: string }
  | SplitAction
  | { readonly kind: "redirect"; readonly to: string; readonly status: number }
  /** To the same place under https. */
  | { readonly kind: "https"; readonly port: number }
  | {
    readonly kind: "respond";
    /** Whether the body has variables. */
    readonly filled?: true;
    readonly status: number;
    readonly body: string;
    readonly contentType: string;
  }
  /** Proves to an authority that a name is ours (RFC 8555 section 8.3). */
  | { readonly kind: "acme"; readonly thumbprint: string }
  | FilesAction;

/** Each request goes to one of several pools. */
export interface SplitAction {
  readonly kind: "split";
  /** In the order of the configuration; one weight at least is above 0. */
  readonly pools: readonly { readonly pool: string; readonly weight: number }[];
  /** What tells where a request goes; null: chance. */
  readonly hashOn: HashOn | null;
}

/** What of a request is hashed; `name` is for header (lower case), cookie and query. */
export interface HashOn {
  readonly kind: "sourceIp" | "uri" | "path" | "header" | "cookie" | "query";
  readonly name: string;
}

/** Files of a directory of this machine. */
export interface FilesAction {
  readonly kind: "files";
  /** Relative to the working directory, or absolute. */
  readonly root: string;
  /** Empty, or a path without a slash at its end. */
  readonly stripPrefix: string;
  /** Names that stand for their directory, in order. */
  readonly index: readonly string[];
  /** Paths below the root, in order; `$path` at the beginning stands for the path of the request. */
  readonly tryFiles: readonly string[];
  /** Encodings that may lie beside a file, best first. */
  readonly precompressed: readonly ("br" | "gzip" | "zstd")[];
  readonly listing: boolean;
  /** Whether names that begin with a dot are sent. */
  readonly hidden: boolean;
  /** Empty: no such header. */
  readonly cacheControl: string;
  /** Media types by the ending of a name, in lower case, before those that are known anyway. */
  readonly types: Readonly<Record<string, string>>;
}

export type BalanceName =
  | "roundRobin"
  | "leastConnections"
  | "random"
  | "fastest"
  | "first"
  | "hash"
  | "maglev";

export interface PoolSnapshot {
  readonly name: string;
  /** Index of this pool's queue and counters in shared memory; the same for one name across reloads. */
  readonly row: number;
  readonly balance: BalanceName;
  /** What hash and maglev look at. */
  readonly hashOn: HashOn;
  /** hash only: `mod` (fewer instructions) or `ring` (few keys move when a server leaves). */
  readonly hashMethod: "ring" | "mod";
  readonly servers: readonly ServerSnapshot[];
  /** How its servers are connected to over TLS; absent: plainly. */
  readonly tls?: ServerTlsSnapshot;
  /** http listeners speak HTTP/2 to the servers. */
  readonly http2?: boolean;
  /** Connections to servers begin with a PROXY header of this version; absent: with none. */
  readonly proxyProtocol?: ProxyVersion;
  readonly check: CheckSnapshot | null;
  /** How the agents of its servers are asked; absent: they have none. */
  readonly agent?: AgentSnapshot;
  readonly passive: PassiveSnapshot | null;
  readonly retry: RetrySnapshot;
  readonly timeouts: { readonly connectMs: number; readonly responseMs: number; readonly idleMs: number };
  readonly queue: { readonly size: number; readonly timeoutMs: number };
  readonly whenAllDown: "fail" | "try";
  /** Absent: every request is tried. */
  readonly breaker?: BreakerSnapshot;
  /** How requests of one session come to one server; absent: they do not. */
  readonly sticky?: StickySnapshot;
}

export type ProxyVersion = "v1" | "v2";

export interface ServerSnapshot {
  readonly name: string;
  /** An IP address, already resolved. */
  readonly host: string;
  readonly port: number;
  readonly weight: number;
  /** 0: no limit. */
  readonly maxConnections: number;
  readonly backup: boolean;
  readonly slowStartMs: number;
  /** Sent as the TLS server name, and what its certificate must be for; absent or empty: its address. */
  readonly tlsName?: string;
  /** What the operator wants of it; absent: ready. */
  readonly state?: "drain" | "maint";
  /** What sessions know it by; absent: its pool has none. */
  readonly id?: string;
  /** Index of this server in shared memory; the same for one pool, name and address across reloads. */
  readonly slot: number;
}

/** TLS towards servers. Holds private keys: never to be shown. */
export interface ServerTlsSnapshot {
  readonly verify: boolean;
  /** PEM of the only authorities that are trusted; null: the well-known ones. */
  readonly ca: string | null;
  /** PEM. */
  readonly clientCertificate: { readonly cert: string; readonly key: string } | null;
  readonly alpn: readonly string[];
  readonly minVersion: "1.2" | "1.3";
}

export interface CheckSnapshot {
  readonly type: CheckType | "agent";
  /** What the kind of check reads. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** How the probe connects; absent: plainly, or where TLS is the kind's own without a look at certificates. */
  readonly tls?: ServerTlsSnapshot;
  /** The name for `tls`, where it is not the server's. */
  readonly tlsName?: string;
  /** 0: the server's own port. */
  readonly port: number;
  /** Probes begin with a PROXY header of this version, in their own name; absent: with none. */
  readonly proxyProtocol?: ProxyVersion;
  /** Probes speak HTTP/2. */
  readonly http2?: boolean;
  /** Probes are datagrams and not a connection. */
  readonly datagrams?: boolean;
  /** Probes begin plainly, and the server is asked for TLS then. */
  readonly startsTls?: boolean;
  readonly intervalMs: number;
  /** Interval while a server is on its way down or up; equal to `intervalMs` when not set. */
  readonly fastIntervalMs: number;
  readonly timeoutMs: number;
  readonly rise: number;
  readonly fall: number;
}

/** Of type agent; `settings` has what is said to it. */
export interface AgentSnapshot extends CheckSnapshot {
  /** IP address; empty: the server's. */
  readonly host: string;
}

export interface PassiveSnapshot {
  /** Attempts without an answer in a row that eject a server; 0: off. */
  readonly failures: number;
  /** 5xx answers in a row that do; 0: off. */
  readonly errorsInRow: number;
  /** Share of 5xx answers (0–1) within the window that ejects; 0: off. */
  readonly serverErrors: number;
  /** Times the median of the pool's servers that ejects who answers so late, and so much above it; 0: off. */
  readonly latencyFactor: number;
  readonly latencyMarginMs: number;
  /** Fewest answers of a server in the window before share and latency count. */
  readonly minRequests: number;
  readonly windowMs: number;
  readonly ejectForMs: number;
  /** Largest share (0–1) of a pool's servers that may be ejected at once. */
  readonly maxEjected: number;
}
