/**
 * What this machine lacks for what the kernel is to forward, each with what to do about it: found before a node starts,
 * and for whoever checks a configuration on the machine that it is for.
 */
import { directServers, type Lan } from "../kernel/lan.ts";
import type { KernelPlan, Server, Shares } from "../kernel/plan.ts";
import { transaction } from "../kernel/transaction.ts";
import { Nft } from "./nft_io.ts";
import { output } from "./output_io.ts";
import type { Spawn } from "./spawn_io.ts";
import { readSysctl } from "./sysctl_io.ts";

/** By family: what lets the kernel forward. */
const FORWARDING = { 4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding" } as const;

/** Problems for a person; none when all is well, or when there is nothing to forward. */
export async function kernelProblems(plan: KernelPlan, spawn: Spawn): Promise<string[]> {
  if (plan.services.length === 0) return [];
  const rules = await rulesProblem(plan, spawn);
  return [...rules === null ? [] : [rules], ...forwardingProblems(plan), ...await wayProblems(plan, spawn)];
}

/** Whether the kernel would take the rules. */
async function rulesProblem(plan: KernelPlan, spawn: Spawn): Promise<string | null> {
  const { open, lan } = everythingWell(plan);
  // As if nothing were there: what is may be of another version.
  const text = transaction(plan, open, lan, new Map())?.anew() ?? "";
  const problem = await new Nft(spawn).apply(text, true);
  if (problem === null) return null;
  const fix = /not permitted/i.test(problem)
    ? ": it needs CAP_NET_ADMIN (root, or AmbientCapabilities= of a service)"
    : /not supported|no such file/i.test(problem)
    ? ": this kernel lacks a part of nf_tables (nft_nat, nft_hash, nft_numgen, nft_fib), or this nft is too old"
    : "";
  return `Cannot have the kernel forward: ${problem}${fix}`;
}

function forwardingProblems({ services }: KernelPlan): string[] {
  const families = ([4, 6] as const).filter((family) =>
    services.some(({ mode, binds, servers }) =>
      mode === "nat" && [binds, servers].every((side) => side.some((one) => one.family === family))
    )
  );
  return families.flatMap((family) => {
    const name = FORWARDING[family];
    if (sysctl(name) !== "0") return [];
    return [
      `Cannot have the kernel forward IPv${family} as ${name} is 0: run "sysctl -w ${name}=1", ` +
      "and write it to a file in /etc/sysctl.d for the next start",
    ];
  });
}

/** Direct return works by MAC: servers must be on the LAN of the interface, and somebody else. */
async function wayProblems(plan: KernelPlan, spawn: Spawn): Promise<string[]> {
  const problems = await Promise.all(
    directServers(plan).map(async ({ device, server: { host } }) => {
      const { problem, output: told } = await output(spawn, "ip", ["-j", "route", "get", host]);
      const [route = {}] = problem === null ? JSON.parse(told) as Record<string, unknown>[] : [];
      const cannot = `Cannot forward to ${host} by dsr`;
      if (problem !== null) return `${cannot} as there is no way to it: ${problem}`;
      if (route.type === "local") return `${cannot} as it is this node itself`;
      if (route.gateway !== undefined || route.via !== undefined) {
        return `${cannot} as it is behind a router (${
          route.gateway ?? "another family"
        }): only its LAN knows its MAC; use nat`;
      }
      return route.dev === device
        ? null
        : `${cannot} as it is on ${route.dev}, and packets come in on ${device}`;
    }),
  );
  return [...new Set(problems.filter((problem) => problem !== null))];
}

/** Null: it cannot be read, which is no reason to refuse. */
function sysctl(name: string): string | null {
  try {
    return readSysctl(name);
  } catch {
    return null;
  }
}

/** A MAC of documentation (RFC 7042 section 2.1.2). */
const ANY_MAC = "00:00:5e:00:53:01";

function everythingWell(plan: KernelPlan): { open: Shares; lan: Lan } {
  const servers = (of: readonly Server[]) => new Map(of.map(({ name }) => [name, { share: 1, up: true }]));
  const direct = directServers(plan);
  return {
    open: new Map(plan.services.map((service) => [service.pool, servers(service.servers)])),
    lan: {
      devices: new Map(direct.map(({ device }) => [device, { mac: ANY_MAC, index: 0 }])),
      servers: new Map(direct.map(({ server }) => [server.host, ANY_MAC])),
    },
  };
}
