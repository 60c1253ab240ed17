/**
 * One line of the demo: what happened between two looks at the status. Pure.
 */
import type { NodeStatus, ServerStatus } from "../observe/status.ts";

/** Three servers fit into 80 columns. */
const BAR = 8;

/** Requests, errors and each server's share of the answers since `before`. */
export function summaryLine(before: NodeStatus, now: NodeStatus): string {
  const requests = listenerSum(now, "requests") - listenerSum(before, "requests");
  const errors = listenerSum(now, "responses5xx") - listenerSum(before, "responses5xx");
  const earlier = new Map(servers(before).map((server) => [server.name, answered(server)]));
  const counts = servers(now).map((server) => answered(server) - (earlier.get(server.name) ?? 0));
  const total = counts.reduce((sum, count) => sum + count, 0);
  const shares = servers(now).map((server, index) => {
    const share = total === 0 ? 0 : counts[index]! / total;
    const state = server.state === "down" || server.state === "ejected" ? ` (${server.state})` : "";
    return `${server.name} ${"█".repeat(Math.round(share * BAR)).padEnd(BAR, "·")} ${
      `${Math.round(share * 100)}%`.padStart(4)
    }${state}`;
  });
  return `${String(requests).padStart(5)} requests/s  ${String(errors).padStart(3)} errors  ${
    shares.join("  ")
  }`;
}

function servers(status: NodeStatus): readonly ServerStatus[] {
  return status.pools.flatMap((pool) => pool.servers);
}

function answered({ counters }: ServerStatus): number {
  return counters.responses2xx + counters.responses3xx + counters.responses4xx + counters.responses5xx;
}

function listenerSum(status: NodeStatus, counter: "requests" | "responses5xx"): number {
  return status.listeners.reduce((sum, listener) => sum + listener.counters[counter], 0);
}
