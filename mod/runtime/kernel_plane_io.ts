/**
 * What the kernel forwards, inside the keeper: the rules follow the configuration and the health of servers, one
 * transaction a change, and are put back when somebody else has flushed them.
 *
 * It decides nothing of the rules (`kernel/nat.ts` does) and nothing of health (the balancer tells). Until every pool is
 * known nothing is changed: rules that an earlier process left go on forwarding, if they were to be kept.
 */
import { reasonOf } from "../base/reason.ts";
import type { Log } from "../observe/log.ts";
import type { KernelStatus } from "../observe/kernel_status.ts";
import { FRAGMENTS } from "../kernel/dsr.ts";
import { directServers, EMPTY_LAN } from "../kernel/lan.ts";
import { type KernelPlan, poolsOf, type Share } from "../kernel/plan.ts";
import { type Count, type Objects, removeTable, type Table, type TableId } from "../kernel/table.ts";
import { FAMILIES, type There, transaction, unreachable } from "../kernel/transaction.ts";
import type { KernelFacts } from "./election_facts.ts";
import { servicesStatus } from "./kernel_view.ts";
import { LanWatch } from "./lan_watch_io.ts";
import { Nft } from "./nft_io.ts";
import type { Spawn } from "./spawn_io.ts";

/** How often the rules are looked at, and tried again where they could not be set. */
const GUARD_MS = 2000;

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
  readonly #watch: LanWatch;
  readonly #shares = new Map<string, Map<string, Share>>();
  #plan: KernelPlan;
  /** What our tables in the kernel hold, by family; null: not looked at yet. */
  #there: There | null = null;
  /** The text of the rules in force; empty: none are. */
  #applied = "";
  #problem = "the servers are not known yet";
  #wanted = false;
  #work: Promise<void> = Promise.resolve();
  #guard: ReturnType<typeof setInterval> | undefined;
  #stopped = false;
  #ours = false;

  constructor(plan: KernelPlan, options: KernelPlaneOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#nft = new Nft(options.spawn);
    this.#watch = new LanWatch(options.spawn, () => this.#change());
  }

  /** Takes another plan; the tables keep their name for life. */
  configure(plan: KernelPlan): void {
    this.#plan = plan;
    this.#watch.watch(directServers(plan).length === 0 ? null : plan);
    this.#change();
    clearInterval(this.#guard);
    if (plan.services.length > 0) this.#guard = setInterval(() => void this.#look(), GUARD_MS);
  }

  /** An interface came, went or changed: one that is made anew has lost the rules at its ingress. */
  onLink(): void {
    this.#watch.hurry();
  }

  /** What is there is not left over, but that of the keeper before, whose plan is gone on with. */
  goOn(): void {
    this.#ours = true;
  }

  /** Resolves when what was asked for is done, or cannot be. */
  async settled(): Promise<void> {
    await this.#watch.settled();
    while (this.#wanted) await this.#work;
    await this.#work;
  }

  /** Changes nothing any more, until `thaw`; resolves when nothing is under way. */
  async freeze(): Promise<void> {
    clearInterval(this.#guard);
    this.#stopped = true;
    await this.#watch.close();
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

  facts(): KernelFacts {
    const { services, alone } = this.#plan;
    const listeners = services.map(({ name }) => name);
    return { listeners, pools: [...poolsOf(this.#plan)], problem: this.#told(), alone };
  }

  async status(): Promise<KernelStatus> {
    const counts = this.#plan.services.length === 0 ? new Map() : await this.#counters();
    return {
      problem: this.#told(),
      services: servicesStatus(this.#plan, this.#shares, counts),
      fragments: counts.get(FRAGMENTS)?.packets ?? 0,
    };
  }

  /** Takes the rules away, unless they are to be kept. */
  async stop(): Promise<void> {
    await this.freeze();
    if (this.#plan.onExit === "keep" || this.#there === null || this.#there.size === 0) return;
    const problem = await this.#nft.apply(
      [...this.#there.keys()].map((family) => removeTable(this.#id(family))).join(""),
    );
    if (problem !== null) {
      this.#options.log.error("the kernel's rules cannot be removed", { reason: problem });
    }
  }

  /** Why listeners are not forwarded as they are to be; null: they are. */
  #told(): string | null {
    return this.#plan.services.length === 0 || this.#problem === "" ? null : this.#problem;
  }

  #id(family: Table["family"]): TableId {
    return { family, name: this.#plan.table };
  }

  /** Several changes at once become one transaction. */
  #change(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#work = this.#work.then(() => this.#apply()).catch((error: unknown) => {
      this.#fail(reasonOf(error));
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
    const { lan } = this.#watch;
    const next = transaction(this.#plan, this.#shares, lan, this.#there);
    if (next === null) return;
    if (next.wanted !== this.#applied || next.after.size !== this.#there.size) {
      const problem = await this.#nft.apply(next.text);
      // Perhaps what is there is not what it was.
      if (problem !== null && await this.#nft.apply(next.anew()) !== null) return this.#fail(problem);
      this.#there = next.after;
      this.#applied = next.wanted;
      this.#options.log.info("the kernel's rules are set", {
        listeners: this.#plan.services.map(({ name }) => name),
      });
    }
    this.#settle(unreachable(this.#plan, this.#shares, lan ?? EMPTY_LAN));
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
    if (this.#there === null || this.#applied === "") return this.#change();
    for (const family of this.#there.keys()) {
      if (await this.#nft.counters(this.#id(family)) !== null) continue;
      this.#options.log.warning("the kernel's rules have gone, and are set again");
      this.#there = new Map();
      this.#applied = "";
      return this.#change();
    }
  }

  async #counters(): Promise<ReadonlyMap<string, Count>> {
    const counted = await Promise.all(FAMILIES.map((family) => this.#nft.counters(this.#id(family))));
    return new Map(counted.flatMap((counts) => [...counts ?? []]));
  }

  #fail(problem: string): void {
    this.#applied = "";
    this.#settle(`they cannot be set: ${problem}`);
  }

  /** `problem`: empty when there is none. */
  #settle(problem: string): void {
    if (this.#problem === problem) return;
    this.#problem = problem;
    if (problem !== "") {
      this.#options.log.error("the kernel does not forward as it is to", { reason: problem });
    }
    this.#options.onChange();
  }
}
