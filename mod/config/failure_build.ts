/** The part of a route's snapshot that is about time-outs and failures. Pure. */
import type { PoolTerms, RequestTimeouts } from "./failure_snapshot.ts";
import type { ListenerConfig } from "./listener_schema.ts";
import type { RouteConfig } from "./route_schema.ts";

export function failureSnapshot(
  { timeouts: ofListener }: ListenerConfig,
  { timeouts }: RouteConfig,
): { timeouts?: RequestTimeouts; terms?: PoolTerms } {
  if (timeouts === undefined) return {};
  const { request, body, tunnel, queue, connect, response } = timeouts;
  const terms: PoolTerms = {
    timeouts: {
      ...(connect === undefined ? {} : { connectMs: connect }),
      ...(response === undefined ? {} : { responseMs: response }),
    },
    queue: queue === undefined ? {} : { timeoutMs: queue },
  };
  const otherwise = [queue, connect, response].some((value) => value !== undefined);
  return {
    timeouts: {
      requestMs: request ?? ofListener.request,
      bodyMs: body ?? ofListener.body,
      tunnelMs: tunnel ?? ofListener.tunnel,
    },
    ...(otherwise ? { terms } : {}),
  };
}
