/**
 * What is told of what the kernel forwards: the plan, how servers are used, and what was counted, put together. Pure.
 */
import { formatHostPort } from "../base/address.ts";
import { CONNECTIONS, objectName, PACKETS_IN, PACKETS_OUT } from "../kernel/names.ts";
import type { Bind, KernelPlan, Server, Service, Shares } from "../kernel/plan.ts";
import type { Count } from "../kernel/table.ts";
import type { ForwardedServer, ServiceStatus } from "../observe/kernel_status.ts";

const NOTHING: Count = { packets: 0, bytes: 0 };

export function servicesStatus(
  { services }: KernelPlan,
  shares: Shares,
  counts: ReadonlyMap<string, Count>,
): ServiceStatus[] {
  return services.map((service) => {
    const { name, mode, protocol, binds, pool, policy, servers } = service;
    return {
      name,
      mode,
      protocol,
      binds: binds.map(bindText),
      pool,
      policy,
      servers: servers.map((server) => serverStatus(service, server, shares, counts)),
    };
  });
}

function serverStatus(
  { name, pool, servers }: Service,
  server: Server,
  shares: Shares,
  counts: ReadonlyMap<string, Count>,
): ForwardedServer {
  const of = (one: Server) => shares.get(pool)?.get(one.name)?.share ?? 0;
  const all = servers.filter(({ family }) => family === server.family).reduce((sum, one) => sum + of(one), 0);
  const count = (kind: string) => counts.get(objectName(kind, name, server.name)) ?? NOTHING;
  const [connections, to, from] = [CONNECTIONS, PACKETS_IN, PACKETS_OUT].map(count) as [Count, Count, Count];
  return {
    name: server.name,
    address: server.port === null ? server.host : formatHostPort(server.host, server.port),
    open: of(server) > 0,
    up: shares.get(pool)?.get(server.name)?.up ?? false,
    share: all === 0 ? 0 : of(server) / all,
    connections: connections.packets,
    packetsIn: to.packets,
    bytesIn: to.bytes,
    packetsOut: from.packets,
    bytesOut: from.bytes,
  };
}

function bindText({ host, family, port, lastPort }: Bind): string {
  const address = formatHostPort(host ?? (family === 4 ? "0.0.0.0" : "::"), port);
  return port === lastPort ? address : `${address}-${lastPort}`;
}
