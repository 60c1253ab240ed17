/**
 * `tandem vip clean`: takes off this machine what a keeper that was killed left of its addresses, and of the kernel's
 * rules unless they are to be kept. For `ExecStopPost=`.
 *
 * A node that runs is left alone by its lock, and any other keeper by its renewals (`vrrp/leftovers.ts`).
 */
import { formatIp } from "../base/address.ts";
import { reasonOf } from "../base/reason.ts";
import { loadConfig } from "../config/load.ts";
import { formatProblem } from "../config/problem.ts";
import { readConfigFile } from "../config/store_io.ts";
import { kernelPlan } from "../kernel/plan.ts";
import { adminSocketPath } from "../runtime/admin_path.ts";
import { isRunning } from "../runtime/admin_socket_io.ts";
import { electionSettings, hasVirtualMac, type InstanceSettings } from "../runtime/election.ts";
import { removeRules } from "../runtime/kernel_plane_io.ts";
import { Spawner } from "../runtime/spawn_io.ts";
import { openKernel } from "../../vrrp/kernel_io.ts";
import { removeAbandoned } from "../../vrrp/leftovers_io.ts";
import { RouteHolder } from "../../vrrp/route_io.ts";
import { BAD, GOOD, type Invocation, writeErr, writeOut } from "./command.ts";
import { selectionOf } from "./selection.ts";

export async function clean(invocation: Invocation): Promise<number> {
  const { file, node, context } = selectionOf(invocation);
  const env = (name: string) => Deno.env.get(name);
  const text = await readConfigFile(file).catch((error: Error) => complain(error.message));
  if (typeof text === "number") return text;
  const loaded = await loadConfig(text, { file, node, context, env });
  if ("problems" in loaded) {
    return complain(loaded.problems.map((problem) => formatProblem(problem)).join("\n"));
  }
  const configured = String(invocation.values.socket ?? loaded.config.admin?.socket ?? "");
  const socket = adminSocketPath({ configured, node, uid: Deno.uid(), env });
  if ("problem" in socket) return complain(socket.problem);
  try {
    if (await isRunning(socket.path)) {
      writeOut(`node ${node} runs: its addresses are left alone\n`);
      return GOOD;
    }
    const rules = await removeRules(kernelPlan(loaded.config, node), new Spawner().spawn);
    if (rules !== null) writeOut(`${rules}\n`);
    return await cleanAll(electionSettings(loaded.config, node, 0n).instances);
  } catch (error) {
    return complain(reasonOf(error));
  }
}

const NOTHING = { removed: [], left: [], problems: [] };

async function cleanAll(instances: readonly InstanceSettings[]): Promise<number> {
  if (instances.length === 0) return GOOD;
  const kernel = openKernel({ onLink() {}, onAddressGone() {} }, () => {});
  const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  try {
    const all = await Promise.all(instances.map(async ({ runner }) => {
      const { addressDevice: device, vips, routing } = runner;
      // Its interface with the virtual MAC is not there, and so is nothing on it.
      const bare = hasVirtualMac(runner) && kernel.findLink(device) === null;
      const cleaned = bare ? NOTHING : await removeAbandoned(device, vips, kernel.writer, wait);
      // They are where the addresses are.
      const live = cleaned.left.some(({ leaseSeconds }) => leaseSeconds !== null);
      const routes = live ? NOTHING : new RouteHolder(kernel.routes, routing, 1).remove();
      const problems = [...cleaned.problems, ...routes.problems];
      return { device, ...cleaned, problems, routes: routes.removed };
    }));
    for (const { device, removed, left, routes, problems } of all) {
      for (const text of routes) writeOut(`removed ${text}\n`);
      for (const problem of problems) writeErr(`${problem}\n`);
      if (problems.length === 0) {
        for (const { address } of removed) writeOut(`removed ${formatIp(address)} from ${device}\n`);
      }
      for (const { address, leaseSeconds } of left) {
        const why = leaseSeconds === null
          ? "has no lease, so no keeper set it"
          : "is leased by a live keeper";
        writeOut(`left ${formatIp(address)} on ${device}: it ${why}\n`);
      }
    }
    return all.every(({ problems }) => problems.length === 0) ? GOOD : BAD;
  } finally {
    await kernel.close();
  }
}

function complain(problem: string): number {
  writeErr(`${problem}\n`);
  return BAD;
}
