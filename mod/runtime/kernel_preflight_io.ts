/**
 * What this machine lacks for what the kernel is to forward, each with what to do about it: found before a node starts,
 * and for whoever checks a configuration on the machine that it is for.
 */
import { natTable } from "../kernel/nat.ts";
import type { KernelPlan, Shares } from "../kernel/plan.ts";
import { NO_OBJECTS, removeTable, replaceTable } from "../kernel/table.ts";
import { Nft } from "./nft_io.ts";
import type { Spawn } from "./spawn_io.ts";
import { readSysctl } from "./sysctl_io.ts";

/** By family: what lets the kernel forward. */
const FORWARDING = { 4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding" } as const;

/** Problems for a person; none when all is well, or when there is nothing to forward. */
export async function kernelProblems(plan: KernelPlan, spawn: Spawn): Promise<string[]> {
  if (plan.services.length === 0) return [];
  const rules = await rulesProblem(plan, spawn);
  return [...rules === null ? [] : [rules], ...forwardingProblems(plan)];
}

/** Whether the kernel would take the rules. */
async function rulesProblem(plan: KernelPlan, spawn: Spawn): Promise<string | null> {
  const tables = [natTable(plan, allOpen(plan))].filter((table) => table !== null);
  // As if nothing were there: what is may be of another version.
  const text = tables.map((table) => removeTable(table) + replaceTable(table, NO_OBJECTS)).join("");
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

/** Null: it cannot be read, which is no reason to refuse. */
function sysctl(name: string): string | null {
  try {
    return readSysctl(name);
  } catch {
    return null;
  }
}

function allOpen({ services }: KernelPlan): Shares {
  return new Map(services.map(({ pool, servers }) => [
    pool,
    new Map(servers.map(({ name }) => [name, { share: 1, up: true }])),
  ]));
}
