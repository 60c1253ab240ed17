/** A snapshot builder for tests: rows by position, only what these tests configure. */
import type { Build } from "../../mod/runtime/control_io.ts";

export const smallBuild: Build = (config, { generation, node, resolve }) => {
  let slot = 0;
  return {
    generation,
    node,
    listeners: config.listeners.map((listener, row) => ({
      name: listener.name,
      row,
      binds: listener.bind,
      protocol: listener.protocol,
      trustedProxies: [],
      timeouts: { headMs: 5000, bodyMs: 5000, keepAliveMs: 5000, idleMs: 5000, tunnelMs: 5000 },
      limits: listener.limits,
      routes: listener.routes.map(({ action }) => ({
        match: { hosts: [], methods: [], headers: [], query: [] },
        action: action as { kind: "pool"; pool: string },
      })),
    })),
    pools: Object.entries(config.pools).map(([name, pool], row) => ({
      name,
      row,
      balance: pool.balance,
      hashOn: pool.hashOn,
      hashMethod: pool.hashMethod,
      servers: pool.servers.flatMap((server, at) =>
        resolve(name, at).map(({ host, port }) => ({
          name: server.name,
          host,
          port,
          weight: server.weight,
          maxConnections: server.maxConnections,
          backup: server.backup,
          slowStartMs: 0,
          slot: slot++,
        }))
      ),
      check: null,
      passive: null,
      retry: { ...pool.retry, attempts: 1 },
      timeouts: { connectMs: 1000, responseMs: 5000, idleMs: 5000 },
      queue: { size: 10, timeoutMs: 1000 },
      whenAllDown: "fail",
    })),
    log: { level: "info", format: "text", access: config.log.access },
  };
};
