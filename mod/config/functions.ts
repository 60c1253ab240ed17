/**
 * The functions of a configuration, each once, and the pools that their processes are in. Pure.
 *
 * A function is a pool like any other: what is different about it (where its servers are, who starts them) is the
 * keeper's to know.
 */
import { functionPool } from "./function_pool.ts";
import type { FunctionConfig } from "./function_schema.ts";
import { type PoolConfig, PoolSchema, type ServerConfig } from "./pool_schema.ts";
import type { Config } from "./schema.ts";

/** Engines take memory and processor time, so a node has few of them. */
export const MAX_PROCESSES = 64;

/** A connection to a process of this machine is there at once, or there is none. */
const CONNECT_MS = 1000;

/** The functions that routes name, in order; those that are the same are one. */
export function functionsOf({ listeners }: Pick<Config, "listeners">): FunctionConfig[] {
  const functions = new Map<string, FunctionConfig>();
  for (const { routes } of listeners) {
    for (const { action } of routes) {
      if (action.kind === "function" && !functions.has(action.name)) {
        functions.set(action.name, settingsOf(action));
      }
    }
  }
  return [...functions.values()];
}

/** The configuration with a pool for every function. */
export function withFunctionPools(config: Config): Config {
  const functions = functionsOf(config);
  if (functions.length === 0) return config;
  const pools = functions.map((one) => [functionPool(one.name), poolOf(one)] as const);
  return { ...config, pools: { ...config.pools, ...Object.fromEntries(pools) } };
}

function settingsOf(
  { kind: _, ...settings }: FunctionConfig & { readonly kind: "function" },
): FunctionConfig {
  return settings;
}

/** A process that ended with a request in it may do so with the next: only what was never sent is tried again. */
function poolOf({ count, timeout, concurrency }: FunctionConfig): PoolConfig {
  const pool = PoolSchema.parse({
    balance: "leastConnections",
    servers: Array.from(
      { length: count },
      (_, index) => ({ name: String(index + 1), address: "localhost:1" }),
    ),
    passive: false,
    retry: { on: ["connect"] },
    timeouts: { connect: `${CONNECT_MS}ms`, response: `${timeout}ms` },
  });
  const servers = pool.servers.map((server): ServerConfig => ({
    ...server,
    maxConnections: concurrency,
    // Where it is changes as long as the node runs: the keeper tells.
    source: { kind: "address", host: "127.0.0.1", port: 0 },
  }));
  return { ...pool, servers };
}
