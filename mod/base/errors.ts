/**
 * The one table of what can go wrong with a request or a connection: code, side, status, whether another server
 * may be tried, and the access log's termination letters. The proxy chooses answers and retries from it alone.
 */

export type Side = "downstream" | "upstream" | "internal";

export interface ErrorInfo {
  readonly side: Side;
  /** Status of our own answer; 0: none can be sent, the connection is closed. */
  readonly status: number;
  /** True when nothing of the request can have taken effect, so that another server may be tried. */
  readonly retryable: boolean;
  /** First letter as in HAProxy's termination state: who ended it; second: during what. */
  readonly termination: string;
  /** One sentence for the log and the docs. */
  readonly text: string;
}

function error(side: Side, status: number, retryable: boolean, termination: string, text: string): ErrorInfo {
  return { side, status, retryable, termination, text };
}

export const ERRORS = {
  badRequest: error("downstream", 400, false, "PR", "the request is malformed"),
  ambiguousFraming: error("downstream", 400, false, "PR", "the length of the request can be read two ways"),
  badHost: error("downstream", 400, false, "PR", "the Host header is missing, repeated or malformed"),
  badChunk: error("downstream", 400, false, "PR", "the chunked body is malformed"),
  uriTooLong: error("downstream", 414, false, "PR", "the request target is longer than the limit"),
  headTooLarge: error("downstream", 431, false, "PR", "the request head is larger than the limit"),
  bodyTooLarge: error("downstream", 413, false, "PR", "the request body is larger than the limit"),
  versionUnsupported: error("downstream", 505, false, "PR", "the HTTP version is not 1.0 or 1.1"),
  methodUnsupported: error(
    "downstream",
    501,
    false,
    "PR",
    "the method is not supported by a proxy of this kind",
  ),
  expectUnsupported: error("downstream", 417, false, "PR", "the expectation is not 100-continue"),
  headTimeout: error("downstream", 408, false, "cR", "the request head did not arrive in time"),
  bodyTimeout: error("downstream", 408, false, "cD", "the request body did not arrive in time"),
  clientGone: error("downstream", 0, false, "CD", "the client closed the connection"),
  clientStalled: error("downstream", 0, false, "cD", "the client did not read in time"),
  tooManyConnections: error("downstream", 503, false, "PL", "the listener is at its limit of connections"),
  noRoute: error("internal", 404, false, "PR", "no route matches"),
  noServer: error("internal", 503, false, "SC", "no server of the pool is available"),
  queueFull: error("internal", 503, false, "SQ", "every server is at its limit and the queue is full"),
  queueTimeout: error("internal", 503, false, "sQ", "no server became free in time"),
  draining: error("internal", 503, false, "PL", "the node is draining"),
  internal: error("internal", 500, false, "PI", "an error inside Tandem"),
  connectFailed: error("upstream", 503, true, "SC", "the server refused the connection or is unreachable"),
  connectTimeout: error("upstream", 503, true, "sC", "the connection to the server was not made in time"),
  emptyReply: error("upstream", 502, true, "SH", "the server closed the connection without an answer"),
  responseReset: error("upstream", 502, false, "SD", "the server broke off its answer"),
  badResponse: error("upstream", 502, false, "PH", "the server's answer is malformed"),
  responseTimeout: error("upstream", 504, false, "sH", "the server did not answer in time"),
  upstreamStalled: error("upstream", 504, false, "sD", "the server did not go on in time"),
  tunnelIdle: error("internal", 0, false, "cD", "nothing moved on the connection for its idle time-out"),
} as const satisfies Record<string, ErrorInfo>;

export type ErrorCode = keyof typeof ERRORS;
/** Every code, in the fixed order that the counters use. */
export const ERROR_CODES = Object.keys(ERRORS) as ErrorCode[];
