/**
 * What every kind of probe shares: the time limit, the closing of what was opened, errors turned into reasons.
 *
 * A probe's body opens connections through `open`, which closes them whenever the probe ends, by result,
 * time-out or abort. A probe never rejects: whatever happens becomes a `ProbeResult`. It knows no protocol.
 */
import type { CheckSnapshot } from "../config/snapshot.ts";
import { type Endpoint, localProxyHeader, writeProxyLine } from "../net/proxy_protocol.ts";
import type { ProbeResult } from "./rise_fall.ts";

/** One server to probe; `host` is an IP address, `port` the check's own if it has one. */
export interface ProbeTarget {
  readonly pool: string;
  readonly server: string;
  readonly host: string;
  readonly port: number;
  readonly check: CheckSnapshot;
  /** The name that the server's certificate is for; absent or empty: its address. */
  readonly tlsName?: string;
}

/** Runs one probe; resolves with a failed result, never rejects. Aborting `signal` ends it soon. */
export type Probe = (target: ProbeTarget, signal: AbortSignal) => Promise<ProbeResult>;

export interface ProbeScope {
  /** Aborted at the time limit and when the caller aborts. */
  readonly signal: AbortSignal;
  /** Has `close` called when the probe ends, at once if it has. Closing twice must be harmless or throw. */
  closing(close: () => void): void;
}

const CANCELLED = "the probe was cancelled";

export type Outcome = Pick<ProbeResult, "ok" | "reason">;

/** What a probe talks over, made and closed within its scope. */
export interface Channel {
  /** What has come; null: no more will. */
  read(): Promise<Uint8Array | null>;
  write(bytes: Uint8Array): Promise<void>;
  /** Nothing more is written. */
  end(): Promise<void>;
  /** Goes on over TLS; only plain connections have it. */
  startTls?(): Promise<Channel | { readonly reason: string }>;
}

/** Runs a probe's body within `timeoutMs` and reports how it ended and how long it took. */
export async function runProbe(
  timeoutMs: number,
  signal: AbortSignal,
  body: (scope: ProbeScope) => Promise<Outcome>,
): Promise<ProbeResult> {
  if (signal.aborted) return { ok: false, reason: CANCELLED, latencyMs: 0 };
  const startedAt = performance.now();
  const limit = new AbortController();
  const closers: (() => void)[] = [];
  let timedOut = false;
  const closeAll = () => closers.splice(0).forEach(closeQuietly);
  limit.signal.addEventListener("abort", closeAll, { once: true });
  const onAbort = () => limit.abort();
  signal.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(() => {
    timedOut = true;
    limit.abort();
  }, timeoutMs);
  const closing = (close: () => void) => {
    if (limit.signal.aborted) closeQuietly(close);
    else closers.push(close);
  };
  let outcome: Outcome;
  try {
    outcome = await body({ signal: limit.signal, closing });
  } catch (error) {
    outcome = { ok: false, reason: describeFailure(error) };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    closeAll();
  }
  if (limit.signal.aborted) {
    outcome = {
      ok: false,
      reason: timedOut ? `no answer within ${timeoutMs} ms` : "the probe was cancelled",
    };
  }
  return { ...outcome, latencyMs: performance.now() - startedAt };
}

/**
 * Connects to the target, within the scope's limit, and says whose connection it is where the check wants that; the
 * connection is closed when the probe ends.
 */
export async function connect(target: ProbeTarget, scope: ProbeScope): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: target.host, port: target.port, signal: scope.signal });
  scope.closing(() => conn.close());
  const { hostname, port } = conn.localAddr;
  const header = probeHeader(target, { host: hostname, port });
  for (let at = 0; at < header.length;) at += await conn.write(header.subarray(at));
  return conn;
}

/** What a probe from `own` begins with; often nothing. */
export function probeHeader({ check, host, port }: ProbeTarget, own: Endpoint): Uint8Array {
  if (check.proxyProtocol === undefined) return NOTHING;
  // The specification wants checks to have a whole line, as there are servers that refuse UNKNOWN (section 2.1).
  return check.proxyProtocol === "v1" ? writeProxyLine(own, { host, port }) : localProxyHeader();
}

const NOTHING = new Uint8Array(0);

/** A connection error in the words of the operating system, without addresses and error numbers. */
export function describeFailure(error: unknown): string {
  if (error instanceof Deno.errors.ConnectionRefused) return "connection refused";
  if (error instanceof Deno.errors.ConnectionReset) return "connection reset";
  if (!(error instanceof Error)) return String(error);
  const code = (error as { code?: unknown }).code;
  if (code === "ECONNREFUSED") return "connection refused";
  if (code === "ECONNRESET") return "connection reset";
  const words = error.message.replace(/ \(os error \d+\)$/, "");
  return words === "" ? error.name : words.charAt(0).toLowerCase() + words.slice(1);
}

function closeQuietly(close: () => void): void {
  try {
    close();
  } catch {
    // Already closed, which is what was wanted.
  }
}
