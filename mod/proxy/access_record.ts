/**
 * What the access log knows of one request or connection: plain fields that a session fills and uses again.
 *
 * Pure data; it must not know how a line looks.
 */
import type { TlsFacts } from "../net/tls.ts";
import type { LogText } from "../observe/put.ts";

/** One request, or one connection, or client of udp. Filled anew for each; the log keeps nothing of it. */
export interface AccessRecord {
  /** Of a connection or a client of udp, which is no request: only its `host` is then looked at. Empty: of a request. */
  transport: "" | "tcp" | "udp";
  /** When the request or the connection began, in milliseconds since 1970. */
  time: number;
  listener: string;
  /** Empty: none was chosen. */
  pool: string;
  /** Empty: none was reached. */
  server: string;
  clientHost: string;
  clientPort: number;
  /** Empty when no request could be read. */
  method: LogText;
  target: LogText;
  /** `HTTP/1.1` */
  version: string;
  /** 0: no answer was sent. */
  status: number;
  /** From the client and to it, heads included. */
  bytesIn: number;
  bytesOut: number;
  requestId: LogText;
  /** Empty: it was not traced. */
  traceId: LogText;
  /** As it is called; empty: none took it. */
  route: string;
  /** Of a connection the server's name that its client asked for in TLS; mostly empty. */
  host: LogText;
  referer: LogText;
  userAgent: LogText;
  /** Times in milliseconds; -1: that was never reached. */
  headMs: number;
  queueMs: number;
  connectMs: number;
  /** From the request sent upstream to the head of the answer. */
  firstByteMs: number;
  totalMs: number;
  /** Two letters as in HAProxy, `--` when all went well. */
  termination: string;
  /** A code of `ERRORS`, or empty. */
  error: string;
  /** Further attempts after the first. */
  retries: number;
  /** How the cache took it (`mod/cache/outcome.ts`); empty: its route has none. */
  cache: string;
  /** How the client's connection was encrypted; null: not by us. */
  tls: TlsFacts | null;
}

/** A record of nothing, to be filled. */
export function emptyAccessRecord(): AccessRecord {
  return {
    transport: "",
    time: 0,
    listener: "",
    pool: "",
    server: "",
    clientHost: "",
    clientPort: 0,
    method: "",
    target: "",
    version: "",
    status: 0,
    bytesIn: 0,
    bytesOut: 0,
    requestId: "",
    traceId: "",
    route: "",
    host: "",
    referer: "",
    userAgent: "",
    headMs: -1,
    queueMs: -1,
    connectMs: -1,
    firstByteMs: -1,
    totalMs: -1,
    termination: "--",
    error: "",
    retries: 0,
    cache: "",
    tls: null,
  };
}
