/**
 * What one node says of what its kernel forwards: the model behind `kernel` on the admin socket, `tandem status` and
 * the metrics. Plain data.
 */
import { exposition, type Sample } from "./exposition.ts";

export interface KernelStatus {
  /** Why the rules are not as they are to be; null: they are. */
  readonly problem: string | null;
  readonly services: readonly ServiceStatus[];
  /** Fragments that dsr did not forward. */
  readonly fragments: number;
}

export interface ServiceStatus {
  /** Of the listener. */
  readonly name: string;
  readonly mode: "nat" | "dsr";
  readonly protocol: "tcp" | "udp";
  readonly binds: readonly string[];
  readonly pool: string;
  readonly policy: string;
  readonly servers: readonly ForwardedServer[];
}

export interface ForwardedServer {
  readonly name: string;
  readonly address: string;
  /** Gets new connections. */
  readonly open: boolean;
  /** False: a health check took it out. */
  readonly up: boolean;
  /** Part of new connections, 0 to 1. */
  readonly share: number;
  /** Since the counters were made: they last longer than the process where its rules do. */
  readonly connections: number;
  /** To the server. */
  readonly packetsIn: number;
  readonly bytesIn: number;
  /** From it; 0 with dsr, where they do not come this way. */
  readonly packetsOut: number;
  readonly bytesOut: number;
}

/** The same as Prometheus text. */
export function kernelMetrics({ problem, services, fragments }: KernelStatus): string {
  if (services.length === 0) return "";
  const each = (value: (server: ForwardedServer) => number): Sample[] =>
    services.flatMap(({ name, pool, servers }) =>
      servers.map((server) => ({
        labels: { listener: name, pool, server: server.name },
        value: value(server),
      }))
    );
  const gauge = (name: string, help: string, samples: Sample[]) =>
    ({ name: `tandem_kernel_${name}`, help, type: "gauge", samples }) as const;
  const counter = (name: string, help: string, samples: Sample[]) =>
    ({ name: `tandem_kernel_${name}_total`, help, type: "counter", samples }) as const;
  return exposition([
    gauge("rules_in_force", "1 while the kernel's rules are as they are to be.", [
      { labels: {}, value: Number(problem === null) },
    ]),
    gauge("server_share", "Part of a listener's new connections, 0 to 1.", each(({ share }) => share)),
    counter("fragments", "Fragments that were not forwarded (dsr).", [{ labels: {}, value: fragments }]),
    counter("connections", "Connections that were sent to a server.", each(({ connections }) => connections)),
    counter("packets_in", "Packets forwarded to a server.", each(({ packetsIn }) => packetsIn)),
    counter("bytes_in", "Bytes of packets forwarded to a server.", each(({ bytesIn }) => bytesIn)),
    counter("packets_out", "Packets forwarded from a server (nat).", each(({ packetsOut }) => packetsOut)),
    counter("bytes_out", "Bytes of packets forwarded from a server (nat).", each(({ bytesOut }) => bytesOut)),
  ]);
}
