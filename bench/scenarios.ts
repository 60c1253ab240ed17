/** What is measured: one entry a row of the table. Knows nothing of the products. */

/** How a product is set up and what is asked of it. */
export interface Scenario {
  readonly name: string;
  readonly protocol: "http" | "tcp";
  readonly path: string;
  readonly connections: number;
  /** Bytes sent with every request; 0: GET. */
  readonly upload: number;
  readonly accessLog: boolean;
  /** The servers speak TLS, and are verified. */
  readonly serverTls: boolean;
  /** Listeners, and routes on each; the load goes to the last route of the last listener. */
  readonly listeners: number;
  readonly routes: number;
  /** Three header rules: a text and the client's address to the servers, a text to the clients. */
  readonly rules: boolean;
  /** Besides: how often requests of an address may come, more often than they do here. */
  readonly rateLimit: boolean;
  /** Data threads of the product. */
  readonly workers: number;
  /** The products answer with files of their own, without servers; those that cannot are left out. */
  readonly files: boolean;
  /** Clients speak TLS. */
  readonly tls: boolean;
  /**
   * Null: wrk, on connections that stay. Else one connection after the other with a request each, all with a whole
   * handshake or all with one that takes the session of the first up again.
   */
  readonly handshakes: "whole" | "resumed" | null;
  /** Clients speak HTTP/2, over TLS: h2load, with several streams on every connection. */
  readonly http2: boolean;
  /** Another route of the same listener is asked all the time for what takes a program the machine: a function. */
  readonly beside: boolean;
  /** Answers are compressed with gzip, at `GZIP_LEVEL` where a product has levels. */
  readonly gzip: boolean;
  /** Answers come from the memory of the product, but for the first; nginx's is the kernel's, of its files. */
  readonly cache: boolean;
}

export const GZIP_LEVEL = 4;

/** The route of `beside` that is busy, and the connections that make it so. */
export const BUSY_PATH = "/busy";
export const BUSY_CONNECTIONS = 2;

/** Requests under way at a time on every connection of HTTP/2. */
export const STREAMS = 8;

const SMALL: Scenario = {
  name: "small",
  protocol: "http",
  path: "/small",
  connections: 64,
  upload: 0,
  accessLog: false,
  serverTls: false,
  listeners: 1,
  routes: 0,
  rules: false,
  rateLimit: false,
  workers: 1,
  files: false,
  tls: false,
  handshakes: null,
  http2: false,
  beside: false,
  gzip: false,
  cache: false,
};

export const SCENARIOS: readonly Scenario[] = [
  SMALL,
  { ...SMALL, name: "64k", path: "/64k" },
  { ...SMALL, name: "upload", path: "/upload", upload: 1024 * 1024 },
  { ...SMALL, name: "log", accessLog: true },
  { ...SMALL, name: "tcp", protocol: "tcp" },
  { ...SMALL, name: "tcp-bulk", protocol: "tcp", path: "/1m" },
  { ...SMALL, name: "tls-server", serverTls: true },
  { ...SMALL, name: "routes", listeners: 20, routes: 25 },
  { ...SMALL, name: "rules", rules: true },
  { ...SMALL, name: "protected", rules: true, rateLimit: true },
  { ...SMALL, name: "beside", beside: true },
  { ...SMALL, name: "workers2", workers: 2 },
  { ...SMALL, name: "files", path: "/10k", files: true },
  { ...SMALL, name: "files-10m", path: "/10m", connections: 4, files: true },
  { ...SMALL, name: "gzip", path: "/text", gzip: true },
  { ...SMALL, name: "cache", cache: true },
  { ...SMALL, name: "cache-64k", cache: true, path: "/64k" },
  { ...SMALL, name: "tls", tls: true },
  { ...SMALL, name: "tls-64k", tls: true, path: "/64k" },
  { ...SMALL, name: "tls-new", tls: true, handshakes: "whole" },
  { ...SMALL, name: "tls-resume", tls: true, handshakes: "resumed" },
  { ...SMALL, name: "h2", tls: true, http2: true, connections: 16 },
  { ...SMALL, name: "h2-64k", tls: true, http2: true, connections: 16, path: "/64k" },
];

/** The prefix that route `index` matches. */
export function routePrefix(index: number): string {
  return `/route${index}/`;
}

/** What the load asks for: the path itself, or the last route's prefix with it. */
export function requestPath(scenario: Scenario): string {
  return scenario.routes === 0
    ? scenario.path
    : routePrefix(scenario.routes - 1).replace(/\/$/, "") + scenario.path;
}
