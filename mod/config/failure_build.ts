/** The parts of a snapshot that are about time-outs and retries. Pure. */
import type { BreakerConfig } from "./breaker_schema.ts";
import type { BreakerSnapshot, PoolTerms, RequestTimeouts, RetrySnapshot } from "./failure_snapshot.ts";
import type { ListenerConfig } from "./listener_schema.ts";
import type { RetryConfig, RouteRetryConfig } from "./retry_schema.ts";
import type { RouteConfig } from "./route_schema.ts";

/** Envoy's factor from the first wait to the longest. */
const MAX_TO_BASE = 10;

/** What a route does otherwise than its listener and its pools. */
export function failureSnapshot(
  { timeouts: ofListener }: ListenerConfig,
  { timeouts, retry }: RouteConfig,
): { timeouts?: RequestTimeouts; terms?: PoolTerms } {
  const { request, body, tunnel, queue, connect, response } = timeouts ?? {};
  const terms: PoolTerms = {
    timeouts: {
      ...(connect === undefined ? {} : { connectMs: connect }),
      ...(response === undefined ? {} : { responseMs: response }),
    },
    queue: queue === undefined ? {} : { timeoutMs: queue },
    retry: retry === undefined ? {} : given(retry),
  };
  const otherwise = [queue, connect, response, retry].some((value) => value !== undefined);
  return {
    ...(timeouts === undefined ? {} : {
      timeouts: {
        requestMs: request ?? ofListener.request,
        bodyMs: body ?? ofListener.body,
        tunnelMs: tunnel ?? ofListener.tunnel,
      },
    }),
    ...(otherwise ? { terms } : {}),
  };
}

export function breakerSnapshot(
  { maxRequests, failures, minRequests, window, openFor, trials }: BreakerConfig,
): BreakerSnapshot {
  return { maxRequests, failures, minRequests, windowMs: window, openForMs: openFor, trials };
}

/** The retries of a pool. */
export function retrySnapshot(retry: RetryConfig): RetrySnapshot {
  const { attempts, on, budget } = retry;
  return { ...given(retry), attempts, on, budget };
}

function given({ attempts, on, methods, perTry, backoff, hedge }: RouteRetryConfig): Partial<RetrySnapshot> {
  return {
    ...(attempts === undefined ? {} : { attempts }),
    ...(on === undefined ? {} : { on }),
    ...methodsOf(methods),
    ...(hedge === undefined ? {} : { hedge }),
    ...(perTry === undefined ? {} : { perTryMs: perTry }),
    ...(backoff === undefined
      ? {}
      : { backoff: { baseMs: backoff.base, maxMs: backoff.max ?? MAX_TO_BASE * backoff.base } }),
  };
}

/** `idempotent` beside names stands for those that RFC 9110 (section 9.2.2) says are. */
const IDEMPOTENT = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"];

function methodsOf(methods: readonly string[] | undefined): Pick<RetrySnapshot, "methods"> {
  if (methods === undefined) return {};
  if (methods.includes("ALL")) return { methods: "all" };
  return { methods: methods.flatMap((name) => name === "IDEMPOTENT" ? IDEMPOTENT : [name]) };
}
