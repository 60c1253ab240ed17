/** The runtime and the kernel, the programs that are run, what this user may, and how many files it may open. */
import { type Finding, ok, problem, warning } from "./finding.ts";
import type { Machine } from "./machine_io.ts";

/** net.ipv4.tcp_migrate_req. */
const LEAST_KERNEL = [5, 14] as const;
/** Beside connections: listeners, files, the link between the processes. */
const OTHER_FILES = 200;
const CAPABILITIES = { CAP_NET_BIND_SERVICE: 10, CAP_NET_ADMIN: 12, CAP_NET_RAW: 13 } as const;

export function runtime(machine: Machine): Finding[] {
  const told = `deno ${Deno.version.deno}, Linux ${Deno.osRelease()}, ${Deno.build.arch}`;
  const [major = 0, minor = 0] = Deno.osRelease().split(/[.-]/).map(Number);
  const old = major < LEAST_KERNEL[0] || major === LEAST_KERNEL[0] && minor < LEAST_KERNEL[1];
  const kernel = old
    ? warning(
      "kernel",
      `${told}: a reload may reset connections that are being made`,
      "use Linux 5.14 or later",
    )
    : ok("kernel", told);
  const libc = machine.hasLibc ? ok("libc", "can be called: sockets are served by epoll") : warning(
    "libc",
    "cannot be called: sockets are slower, and no address can be held",
    "use a system with glibc, and start the program with --allow-ffi",
  );
  return [kernel, libc];
}

export async function tools(machine: Machine): Promise<Finding[]> {
  const { plan, election } = machine;
  const wanted = [
    ["ip", "-V", election.instances.length > 0, "holds addresses (iproute2)"],
    ["nft", "-v", plan.services.length > 0, "has the kernel forward (nftables)"],
  ] as const;
  return await Promise.all(wanted.map(async ([tool, flag, needed, what]) => {
    const told = await machine.run(tool, flag);
    if ("text" in told) return ok(tool, told.text.trim());
    return needed
      ? problem(tool, `${told.problem}: it ${what}`, `install ${tool === "ip" ? "iproute2" : "nftables"}`)
      : ok(tool, "not installed, and not needed");
  }));
}

export function rights(machine: Machine): Finding[] {
  const { config, election, plan, isRoot, keeper } = machine;
  const of = keeper === null ? "this user" : "the running node";
  const status = machine.proc(`/proc/${keeper?.pid ?? "self"}/status`);
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status ?? "")?.[1] ?? "0"}`);
  if (status === null) {
    return [
      isRoot
        ? ok("rights", "root")
        : warning("rights", "cannot be read", "run it as the user of the service"),
    ];
  }
  const low = config?.listeners.some(({ bind }) =>
    bind.some(({ port }) => port > 0 && port < freePorts(machine))
  );
  const holds = election.instances.length > 0;
  const raw = election.instances.some(({ runner }) => runner.transport !== "udp") || holds;
  const needed = [
    ["CAP_NET_BIND_SERVICE", low === true, "listens on a port below 1024"],
    ["CAP_NET_ADMIN", holds || plan.services.length > 0, "holds addresses and has the kernel forward"],
    ["CAP_NET_RAW", raw, "announces addresses"],
  ] as const;
  const missing = needed.filter(([name, wanted]) =>
    wanted && (effective >> BigInt(CAPABILITIES[name]) & 1n) === 0n
  );
  if (missing.length === 0) return [ok("rights", `${of} has all that the configuration needs`)];
  return missing.map(([name, , what]) =>
    problem(
      "rights",
      `${of} has no ${name}, by which it ${what}`,
      "run the node as the service of the package, as root, or give it the capability (AmbientCapabilities=)",
    )
  );
}

export function files(machine: Machine): Finding[] {
  const { config, keeper } = machine;
  const limits = machine.proc(`/proc/${keeper?.balancer.pid ?? "self"}/limits`);
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits ?? "")?.[1];
  if (hard === undefined) return [ok("open files", "the limit cannot be read")];
  const connections = config?.listeners.reduce(
    (sum, { protocol, limits }) => sum + (protocol === "udp" ? 0 : limits.connections),
    0,
  ) ?? 0;
  const needed = 2 * connections + OTHER_FILES;
  const told = `at most ${hard}; ${connections} connections of all listeners need ${needed}`;
  return [
    hard === "unlimited" || Number(hard) >= needed ? ok("open files", told) : warning(
      "open files",
      `${told}: clients beyond wait to be accepted`,
      `LimitNOFILE=${needed} for the service (ulimit -Hn ${needed}), or smaller limits.connections`,
    ),
  ];
}

/** Ports from this one on need no right. */
function freePorts(machine: Machine): number {
  return Number(machine.sysctl("net.ipv4.ip_unprivileged_port_start") ?? "1024");
}
