/**
 * What has to be set up on the servers of `forward: dsr`: they have the listener's address, take packets for it, and
 * never tell anybody that they have it. Pure.
 */
import type { KernelPlan, Service } from "./plan.ts";

/** Shell commands for each listener, with comments; empty when there is none. */
export function serverSetup({ services }: KernelPlan): string {
  return services.filter(({ mode }) => mode === "dsr").map(setupOf).join("\n");
}

function setupOf({ name, binds, servers }: Service): string {
  const addresses = [...new Map(binds.map(({ host, family }) => [host!, family]))];
  const lines = [
    `# Listener ${name}: as root on each of ${servers.map(({ host }) => host).join(", ")}`,
    // Before the address: the network must not hear of it even once.
    ...(addresses.some(([, family]) => family === 4)
      ? ["sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2"]
      : []),
    ...addresses.map(([host, family]) =>
      family === 4 ? `ip address replace ${host}/32 dev lo` : `ip address replace ${host}/128 dev lo nodad`
    ),
    `# The service listens on ${[...new Set(binds.map(portText))].join(", ")} of ${
      addresses.map(([host]) => host).join(", ")
    } or of every address.`,
    "# For the next start: the settings in a file of /etc/sysctl.d, the addresses in the network's configuration.",
  ];
  return lines.join("\n") + "\n";
}

function portText({ port, lastPort }: Service["binds"][number]): string {
  return port === lastPort ? `port ${port}` : `ports ${port} to ${lastPort}`;
}
