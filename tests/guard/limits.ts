/** Limits for tests, with what is not said left as it is by default. */
import type {
  ConcurrencySnapshot,
  LimitSnapshot,
  RateLimitSnapshot,
} from "../../mod/config/guard_snapshot.ts";

const LIMIT: Omit<LimitSnapshot, "kind"> = {
  name: "test",
  key: [{ kind: "address", name: "" }],
  mask: { ipv4: 32, ipv6: 64 },
  scope: "route web *",
  size: 64,
  status: 429,
  dryRun: false,
};

export function rateLimit(more: Partial<RateLimitSnapshot> = {}): RateLimitSnapshot {
  return { kind: "rate", ...LIMIT, stepMs: 1000, burst: 0, delay: null, ...more };
}

export function concurrencyLimit(more: Partial<ConcurrencySnapshot> = {}): ConcurrencySnapshot {
  return { kind: "requests", ...LIMIT, most: 1, ...more };
}
