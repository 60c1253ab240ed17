/**
 * What the kernel forwards, inside the keeper: the rules follow the configuration and the health of servers, one
 * transaction a change, and are put back when somebody else has flushed them.
 *
 * It decides nothing of the rules (`kernel/nat.ts` does) and nothing of health (the balancer tells). Until every pool is
 * known nothing is changed: rules that an earlier process left go on forwarding, if they were to be kept.
 */
import type { Log } from "../observe/log.ts";
import type { KernelStatus } from "../observe/kernel_status.ts";
import { natTable } from "../kernel/nat.ts";
import { type KernelPlan, poolsOf, type Share } from "../kernel/plan.ts";
import {
  type Count,
  NO_OBJECTS,
  type Objects,
  objectsOf,
  removeTable,
  replaceTable,
  type Table,
  type TableId,
} from "../kernel/table.ts";
import { servicesStatus } from "./kernel_view.ts";
import { Nft } from "./nft_io.ts";
import type { Spawn } from "./spawn_io.ts";

/** How often the rules are looked at, and tried again where they could not be set. */
const GUARD_MS = 2000;
const FAMILIES = ["inet"] as const;

export interface KernelPlaneOptions {
  readonly spawn: Spawn;
  readonly log: Log;
  /** The rules are in force, or no longer. */
  readonly onChange: () => void;
}

/** Takes away what a keeper that ended left, unless it is to be kept; what was done, or null. */
export async function removeRules({ table, onExit }: KernelPlan, spawn: Spawn): Promise<string | null> {
  if (onExit === "keep") return null;
  const nft = new Nft(spawn);
  const removed = await Promise.all(FAMILIES.map(async (family) => {
    const id = { family, name: table };
    return await nft.objects(id) !== null && await nft.apply(removeTable(id)) === null;
  }));
  return removed.includes(true) ? `removed the kernel's rules (table ${table})` : null;
}

export class KernelPlane {
  readonly #options: KernelPlaneOptions;
  readonly #nft: Nft;
  readonly #shares = new Map<string, Map<string, Share>>();
  #plan: KernelPlan;
  /** What our tables in the kernel hold, by family; null: not looked at yet. */
  #there: Map<Table["family"], Objects> | null = null;
  /** The text of the rules in force; empty: none are. */
  #applied = "";
  #problem: string | null = "the servers are not known yet";
  #wanted = false;
  #work: Promise<void> = Promise.resolve();
  #guard: ReturnType<typeof setInterval> | undefined;
  #stopped = false;
  #ours = false;

  constructor(plan: KernelPlan, options: KernelPlaneOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#nft = new Nft(options.spawn);
  }

  /** Takes another plan; the tables keep their name for life. */
  configure(plan: KernelPlan): void {
    this.#plan = plan;
    this.#change();
    clearInterval(this.#guard);
    if (plan.services.length > 0) this.#guard = setInterval(() => void this.#look(), GUARD_MS);
  }

  /** What is there is not left over, but that of the keeper before, whose plan is gone on with. */
  goOn(): void {
    this.#ours = true;
  }

  /** Resolves when what was asked for is done, or cannot be. */
  async settled(): Promise<void> {
    while (this.#wanted) await this.#work;
    await this.#work;
  }

  /** Changes nothing any more, until `thaw`; resolves when nothing is under way. */
  async freeze(): Promise<void> {
    clearInterval(this.#guard);
    this.#stopped = true;
    await this.#work;
  }

  /** Goes on with what is there, which another keeper may have changed meanwhile. */
  thaw(): void {
    this.#stopped = false;
    this.#there = null;
    this.#applied = "";
    this.goOn();
    this.configure(this.#plan);
  }

  /** How servers of a pool are used now. */
  tell(pool: string, servers: readonly ({ readonly server: string } & Share)[]): void {
    const known = this.#shares.get(pool) ?? new Map<string, Share>();
    const news = servers.filter(({ server, share, up }) => {
      const before = known.get(server);
      return before?.share !== share || before.up !== up;
    });
    for (const { server, share, up } of news) known.set(server, { share, up });
    this.#shares.set(pool, known);
    if (news.length > 0 && poolsOf(this.#plan).has(pool)) this.#change();
  }

  /** Why a listener is not forwarded as it is to be; null: it is. */
  get problem(): string | null {
    return this.#plan.services.length === 0 ? null : this.#problem;
  }

  async status(): Promise<KernelStatus> {
    const counts = this.#plan.services.length === 0 ? new Map() : await this.#counters();
    return { problem: this.problem, services: servicesStatus(this.#plan, this.#shares, counts) };
  }

  /** Takes the rules away, unless they are to be kept. */
  async stop(): Promise<void> {
    clearInterval(this.#guard);
    this.#stopped = true;
    await this.#work;
    if (this.#plan.onExit === "keep" || this.#there === null || this.#there.size === 0) return;
    const problem = await this.#nft.apply(
      [...this.#there.keys()].map((family) => removeTable(this.#id(family))).join(""),
    );
    if (problem !== null) {
      this.#options.log.error("the kernel's rules cannot be removed", { reason: problem });
    }
  }

  #id(family: Table["family"]): TableId {
    return { family, name: this.#plan.table };
  }

  /** Several changes at once become one transaction. */
  #change(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#work = this.#work.then(() => this.#apply()).catch((error: unknown) => {
      this.#fail(error instanceof Error ? error.message : String(error));
    });
  }

  async #apply(): Promise<void> {
    this.#wanted = false;
    if (this.#stopped) return;
    if (this.#there === null) {
      const removed = this.#ours ? null : await removeRules(this.#plan, this.#options.spawn);
      if (removed !== null) this.#options.log.warning(`${removed} of an earlier process`);
      this.#there = await this.#find();
    }
    if ([...poolsOf(this.#plan)].some((pool) => !this.#shares.has(pool))) return;
    const tables = [natTable(this.#plan, this.#shares)].filter((table) => table !== null);
    const there = this.#there;
    const gone = [...there.keys()].filter((family) => !tables.some((table) => table.family === family));
    const removals = gone.map((family) => removeTable(this.#id(family))).join("");
    const text = removals +
      tables.map((table) => replaceTable(table, there.get(table.family) ?? NO_OBJECTS)).join("");
    if (text === this.#applied) return;
    let problem = await this.#nft.apply(text);
    if (problem !== null) {
      // Perhaps what is there is not what it was.
      const anew = tables.map((table) => removeTable(table) + replaceTable(table, NO_OBJECTS)).join("");
      problem = await this.#nft.apply(removals + anew);
    }
    if (problem !== null) return this.#fail(problem);
    this.#there = new Map(tables.map((table) => [table.family, objectsOf(table)]));
    // With this behind it the same tables are the same text again.
    this.#applied = tables.map((table) => replaceTable(table, objectsOf(table))).join("");
    this.#settle(null);
    this.#options.log.info("the kernel's rules are set", {
      listeners: this.#plan.services.map(({ name }) => name),
    });
  }

  /** What an earlier process left, to be gone on with. */
  async #find(): Promise<Map<Table["family"], Objects>> {
    const found = new Map<Table["family"], Objects>();
    for (const family of FAMILIES) {
      const objects = await this.#nft.objects(this.#id(family));
      if (objects !== null) found.set(family, objects);
    }
    return found;
  }

  /** A firewall that is loaded anew often begins with `flush ruleset`. */
  async #look(): Promise<void> {
    if (this.#stopped) return;
    if (this.#problem === null && await this.#nft.counters(this.#id("inet")) === null) {
      this.#options.log.warning("the kernel's rules have gone, and are set again");
      this.#there = new Map();
      this.#applied = "";
    }
    this.#change();
  }

  async #counters(): Promise<ReadonlyMap<string, Count>> {
    return await this.#nft.counters(this.#id("inet")) ?? new Map();
  }

  #fail(problem: string): void {
    this.#applied = "";
    if (problem !== this.#problem) {
      this.#options.log.error("the kernel's rules cannot be set", { reason: problem });
    }
    this.#settle(problem);
  }

  #settle(problem: string | null): void {
    if (this.#problem === problem) return;
    this.#problem = problem;
    this.#options.onChange();
  }
}
