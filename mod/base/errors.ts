/**
 * The one table of what can go wrong with a request or a connection: code, side, status, when another server may
 * be tried, and the access log's termination letters. The proxy chooses answers and retries from it alone;
 * `docs/errors.md` shows it.
 */

export type Side = "downstream" | "upstream" | "internal";

export interface ErrorInfo {
  readonly side: Side;
  /** Status of our own answer; 0: none can be sent, the connection is closed. */
  readonly status: number;
  /** The condition of a pool's `retry.on` under which another server is tried; null: never. */
  readonly retry: "connect" | "empty" | "reset" | "malformed" | "timeout" | null;
  /** First letter as in HAProxy's termination state: who ended it; second: during what. */
  readonly termination: string;
  /** One sentence for the log and the docs. */
  readonly text: string;
}

function error(
  side: Side,
  status: number,
  retry: ErrorInfo["retry"],
  termination: string,
  text: string,
): ErrorInfo {
  return { side, status, retry, termination, text };
}

export const ERRORS = {
  badRequest: error("downstream", 400, null, "PR", "the request is malformed"),
  ambiguousFraming: error("downstream", 400, null, "PR", "the length of the request can be read two ways"),
  badHost: error("downstream", 400, null, "PR", "the Host header is missing, repeated or malformed"),
  badChunk: error("downstream", 400, null, "PR", "the chunked body is malformed"),
  uriTooLong: error("downstream", 414, null, "PR", "the request target is longer than the limit"),
  headTooLarge: error("downstream", 431, null, "PR", "the request head is larger than the limit"),
  bodyTooLarge: error("downstream", 413, null, "PR", "the request body is larger than the limit"),
  versionUnsupported: error("downstream", 505, null, "PR", "the HTTP version is not 1.0, 1.1 or 2"),
  methodUnsupported: error(
    "downstream",
    501,
    null,
    "PR",
    "the method is not supported by a proxy of this kind",
  ),
  expectUnsupported: error("downstream", 417, null, "PR", "the expectation is not 100-continue"),
  http2Error: error("downstream", 0, null, "PR", "the client broke a rule of HTTP/2"),
  http2Flood: error("downstream", 0, null, "PR", "the client sent too many frames that ask for nothing"),
  tlsFailed: error("downstream", 0, null, "CR", "the TLS handshake failed"),
  tlsTimeout: error("downstream", 0, null, "cR", "the TLS handshake was not over in time"),
  headTimeout: error("downstream", 408, null, "cR", "the request head did not arrive in time"),
  bodyTimeout: error("downstream", 408, null, "cD", "the request body did not arrive in time"),
  clientGone: error("downstream", 0, null, "CD", "the client closed the connection"),
  clientStalled: error("downstream", 0, null, "cD", "the client did not read in time"),
  badProxyHeader: error("downstream", 0, null, "PR", "the PROXY header is missing or malformed"),
  proxyHeaderTimeout: error("downstream", 0, null, "cR", "the PROXY header did not arrive in time"),
  notTls: error("downstream", 0, null, "PR", "the connection is not TLS, and every route needs it"),
  badClientHello: error(
    "downstream",
    0,
    null,
    "PR",
    "the ClientHello is malformed or too large, and every route needs it",
  ),
  accessDenied: error("internal", 403, null, "PR", "the client's address may not come in"),
  tooManySessions: error("internal", 0, null, "PR", "a listener of udp has as many clients as it may have"),
  concurrencyLimited: error("internal", 429, null, "PR", "there are too many requests under way"),
  connectionLimited: error(
    "internal",
    0,
    null,
    "PR",
    "there are too many connections of the client's address",
  ),
  unauthorized: error("internal", 401, null, "PR", "credentials are missing or wrong"),
  forbidden: error("internal", 403, null, "PR", "the credentials are not enough for this"),
  credentialsBusy: error("internal", 503, null, "PR", "credentials cannot be checked now"),
  rateLimited: error("internal", 429, null, "PR", "there are too many requests"),
  noRoute: error("internal", 404, null, "PR", "no route matches"),
  methodNotAllowed: error("internal", 405, null, "PR", "files are only read, by GET or HEAD"),
  notStored: error("internal", 504, null, "PR", "only what is stored was wanted, and there is nothing"),
  fileNotFound: error("internal", 404, null, "PR", "there is no such file"),
  fileForbidden: error("internal", 403, null, "PR", "the file or directory is not to be read"),
  fileFailed: error("internal", 500, null, "PR", "the file cannot be read now"),
  fileChanged: error("internal", 503, null, "PD", "the file changed while it was read"),
  noServer: error("internal", 503, null, "SC", "no server of the pool is available"),
  queueFull: error("internal", 503, null, "SQ", "every server is at its limit and the queue is full"),
  queueTimeout: error("internal", 503, null, "sQ", "no server became free in time"),
  overloaded: error("internal", 503, null, "PC", "the pool has as many requests under way as it may have"),
  breakerOpen: error("internal", 503, null, "PC", "the pool has failed too often and is spared for now"),
  draining: error("internal", 0, null, "KD", "the node stopped before the request was over"),
  connectFailed: error(
    "upstream",
    503,
    "connect",
    "SC",
    "the server refused the connection or is unreachable",
  ),
  connectTimeout: error(
    "upstream",
    503,
    "connect",
    "sC",
    "the connection to the server was not made in time",
  ),
  serverCertificate: error(
    "upstream",
    503,
    "connect",
    "SC",
    "the server's certificate is not one to trust",
  ),
  emptyReply: error("upstream", 502, "empty", "SH", "the server closed the connection without an answer"),
  responseReset: error("upstream", 502, "reset", "SD", "the server broke off its answer"),
  badResponse: error("upstream", 502, "malformed", "PH", "the server's answer is malformed"),
  upgradeRefused: error("upstream", 502, null, "PH", "the server takes no WebSocket over HTTP/2"),
  badHandOn: error("upstream", 502, null, "PH", "the function handed the request on where that cannot be"),
  requestTimeout: error("internal", 504, null, "sH", "the request was not over in its time"),
  responseTimeout: error("upstream", 504, "timeout", "sH", "the server did not answer in time"),
  upstreamStalled: error("upstream", 0, null, "sD", "the server did not go on with its answer in time"),
  tunnelIdle: error("internal", 0, null, "cD", "nothing moved on the connection for its idle time-out"),
} as const satisfies Record<string, ErrorInfo>;

export type ErrorCode = keyof typeof ERRORS;
/** Every code, in the fixed order that the counters use. */
export const ERROR_CODES = Object.keys(ERRORS) as ErrorCode[];

/** Those that say that a pool has failed a request, which another one may not. */
export const POOL_ERRORS: ReadonlySet<ErrorCode> = new Set([
  "noServer",
  "queueFull",
  "queueTimeout",
  "overloaded",
  "breakerOpen",
  "connectFailed",
  "connectTimeout",
  "serverCertificate",
  "emptyReply",
  "responseReset",
  "badResponse",
  "responseTimeout",
]);
