/** `tandem doctor`: whether this machine can do what a configuration has the kernel do, and what servers need for it. */
import { loadConfig } from "../config/load.ts";
import { formatProblem } from "../config/problem.ts";
import { readConfigFile } from "../config/store_io.ts";
import { type KernelPlan, kernelPlan } from "../kernel/plan.ts";
import { serverSetup } from "../kernel/server_setup.ts";
import { kernelProblems } from "../runtime/kernel_preflight_io.ts";
import { Spawner } from "../runtime/spawn_io.ts";
import { BAD, type Command, GOOD, type Invocation, writeErr, writeOut } from "./command.ts";
import { SELECTION_HELP, SELECTION_OPTIONS, selectionOf } from "./selection.ts";

export const command: Command = {
  summary: "see whether this machine can forward in the kernel",
  usage: "[-c FILE] [--server]",
  options: { ...SELECTION_OPTIONS, server: { type: "boolean" } },
  help:
    `Looks for what listeners with forward: nat or dsr need on this machine: nft, its rights, the parts of the kernel,
forwarding, and with dsr servers on the LAN. Exit code 1: something is missing, and what to do about it is told.

      --server        instead print what has to be set up on the servers of listeners with forward: dsr
${SELECTION_HELP}

Examples: tandem doctor -c /etc/tandem/tandem.yaml
          tandem doctor --server | ssh root@10.0.0.11 sh`,
  run: async (invocation) => {
    const plan = await planOf(invocation);
    if (plan === null) return BAD;
    return invocation.values.server === true ? showSetup(plan) : await showProblems(plan);
  },
};

async function planOf(invocation: Invocation): Promise<KernelPlan | null> {
  const { file, node, context } = selectionOf(invocation);
  try {
    const text = await readConfigFile(file);
    const loaded = await loadConfig(text, { file, node, context, env: (name) => Deno.env.get(name) });
    if ("config" in loaded) return kernelPlan(loaded.config, node);
    writeErr(loaded.problems.map((problem) => formatProblem(problem) + "\n").join(""));
  } catch (error) {
    writeErr(`${error instanceof Error ? error.message : error}\n`);
  }
  return null;
}

function showSetup(plan: KernelPlan): number {
  const setup = serverSetup(plan);
  if (setup === "") {
    writeErr("No listener has forward: dsr, so servers need nothing\n");
    return BAD;
  }
  writeOut(setup);
  return GOOD;
}

async function showProblems(plan: KernelPlan): Promise<number> {
  const problems = await kernelProblems(plan, new Spawner().spawn);
  for (const problem of problems) writeErr(`${problem}\n`);
  const { length } = plan.services;
  if (problems.length === 0) {
    writeOut(length === 0 ? "no listener is forwarded in the kernel\n" : "this machine can forward\n");
  }
  return problems.length === 0 ? GOOD : BAD;
}
