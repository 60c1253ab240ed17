/**
 * What the checks of `tandem doctor` look at: the configuration, if there is a good one, the node if it runs, and the
 * means to ask the machine. Nothing is changed.
 */
import { withLibc } from "../../base/libc_io.ts";
import { readProcFile } from "../../base/proc_file_io.ts";
import type { Config } from "../../config/schema.ts";
import { type KernelPlan, kernelPlan, noPlan } from "../../kernel/plan.ts";
import type { CertificateEntry } from "../../observe/certificate_list.ts";
import type { KeeperStatus } from "../../observe/keeper_status.ts";
import type { NodeStatus } from "../../observe/status.ts";
import { type ElectionSettings, electionSettings } from "../../runtime/election.ts";
import { output } from "../../runtime/output_io.ts";
import { readSysctl } from "../../runtime/sysctl_io.ts";
import { LOOKING_TOOLS, Spawner } from "../../runtime/spawn_io.ts";

export interface Interface {
  readonly name: string;
  readonly flags: readonly string[];
  readonly addresses: readonly { readonly host: string; readonly prefix: number }[];
}

export class Machine {
  readonly plan: KernelPlan;
  readonly election: ElectionSettings;
  readonly spawn = new Spawner(LOOKING_TOOLS).spawn;
  #interfaces: Promise<readonly Interface[] | null> | null = null;

  constructor(
    readonly node: string,
    readonly file: string,
    /** Null: there is none, or no good one. */
    readonly config: Config | null,
    /** Null: the node does not run, or does not answer this user. */
    readonly keeper: KeeperStatus | null,
    /** The node's socket is there. */
    readonly hasSocket: boolean,
    /** What the node says of its certificates; empty: it does not run, or has none. */
    readonly had: readonly CertificateEntry[] = [],
    /** What its balancer says; null: it does not run, or does not answer. */
    readonly balancer: NodeStatus | null = null,
  ) {
    this.plan = config === null ? noPlan(node) : kernelPlan(config, node);
    this.election = config === null
      ? { instances: [], startupDelayMs: 0, configHash: 0n }
      : electionSettings(config, node, 0n);
  }

  get isRoot(): boolean {
    return Deno.uid() === 0;
  }

  /** True: it can be asked for more than Deno itself knows. */
  get hasLibc(): boolean {
    try {
      return withLibc(() => true);
    } catch {
      return false;
    }
  }

  /** Null: there is no such setting, or it cannot be read. */
  sysctl(name: string): string | null {
    return orNull(() => readSysctl(name));
  }

  /** A file of `/proc`; null: it cannot be read. */
  proc(path: string): string | null {
    return orNull(() => readProcFile(path));
  }

  text(path: string): string | null {
    return orNull(() => Deno.readTextFileSync(path));
  }

  env(name: string): string | undefined {
    return Deno.env.get(name);
  }

  async run(
    tool: string,
    ...args: string[]
  ): Promise<{ readonly text: string } | { readonly problem: string }> {
    const { problem, output: text } = await output(this.spawn, tool, args);
    return problem === null ? { text } : { problem };
  }

  /** Null: they cannot be asked for. */
  interfaces(): Promise<readonly Interface[] | null> {
    return this.#interfaces ??= this.#askInterfaces();
  }

  async #askInterfaces(): Promise<readonly Interface[] | null> {
    const told = await this.run("ip", "-j", "address", "show");
    if ("problem" in told) return null;
    const links = JSON.parse(told.text) as {
      ifname: string;
      flags: string[];
      addr_info: { local?: string; prefixlen: number }[];
    }[];
    return links.map(({ ifname, flags, addr_info }) => ({
      name: ifname,
      flags,
      addresses: addr_info.flatMap(({ local, prefixlen }) =>
        local === undefined ? [] : [{ host: local, prefix: prefixlen }]
      ),
    }));
  }
}

function orNull(read: () => string): string | null {
  try {
    return read();
  } catch {
    return null;
  }
}
