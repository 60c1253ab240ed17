/** The pool `app` of a snapshot, plain: one server in the first slot, no checks, no retries. For tests. */
import type { PoolSnapshot } from "../../mod/config/snapshot.ts";
import { POOL_TIMEOUTS } from "./timeouts.ts";

export function poolOf(host: string, port: number): PoolSnapshot {
  return {
    name: "app",
    row: 0,
    balance: "roundRobin",
    hashOn: { kind: "sourceIp", name: "" },
    hashMethod: "ring",
    servers: [{
      name: "s1",
      host,
      port,
      weight: 1,
      maxConnections: 0,
      backup: false,
      slowStartMs: 0,
      slot: 0,
    }],
    check: null,
    passive: null,
    retry: { attempts: 0, on: [], budget: 0 },
    timeouts: POOL_TIMEOUTS,
    queue: { size: 0, timeoutMs: 1000 },
    whenAllDown: "fail",
  };
}
