/**
 * Keeps the MACs of servers fresh for direct return: has the kernel ask for them, and reads what it knows. It must not
 * know rules.
 */
import { EMPTY_LAN, type Lan, lookUps, readLan, sameLan } from "../kernel/lan.ts";
import type { KernelPlan } from "../kernel/plan.ts";
import { output } from "./output_io.ts";
import type { Spawn } from "./spawn_io.ts";

/** A MAC changes when a machine is replaced; its check has found it well by then. */
const INTERVAL_MS = 2000;
/** While a MAC is not known. */
const EAGER_MS = 100;

export class LanWatch {
  readonly #spawn: Spawn;
  readonly #onChange: () => void;
  #plan: KernelPlan | null = null;
  #lan: Lan | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(spawn: Spawn, onChange: () => void) {
    this.#spawn = spawn;
    this.#onChange = onChange;
  }

  /** What is known; null: nobody has looked yet. */
  get lan(): Lan | null {
    return this.#lan;
  }

  /** Watches the servers of a plan; null ends it. */
  watch(plan: KernelPlan | null): void {
    this.#plan = plan;
    this.#lan = plan === null ? null : this.#lan;
    this.hurry();
  }

  /** Looks at once: something has changed, perhaps. */
  hurry(): void {
    clearTimeout(this.#timer);
    if (this.#plan !== null) this.#looking = this.#looking.then(() => this.#look());
  }

  /** Resolves when nothing is being looked up. */
  async settled(): Promise<void> {
    await this.#looking;
  }

  /** Resolves when nothing of it is at work any more. */
  async close(): Promise<void> {
    this.watch(null);
    await this.#looking;
  }

  async #look(): Promise<void> {
    const plan = this.#plan;
    if (plan === null) return;
    const wanted = lookUps(plan);
    // An entry that cannot be asked for (its interface is down) must not keep the others from it.
    await output(this.#spawn, "ip", ["-force", "-batch", "-"], wanted);
    const links = await output(this.#spawn, "ip", ["-j", "link", "show"]);
    const neighbours = await output(this.#spawn, "ip", ["-j", "neigh", "show"]);
    if (this.#plan !== plan) return;
    if (links.problem === null && neighbours.problem === null) {
      const lan = readLan(plan, this.#lan ?? EMPTY_LAN, links.output, neighbours.output);
      const changed = this.#lan === null || !sameLan(lan, this.#lan);
      this.#lan = lan;
      if (changed) this.#onChange();
    }
    const complete = wanted.split("\n").length - 1 <= (this.#lan?.servers.size ?? 0);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#looking = this.#look(),
      complete ? INTERVAL_MS : EAGER_MS,
    );
  }
}
