/**
 * Nodes with a sync group each: a LAN for every virtual router of it, all in one time, and the groups between the
 * machines of a node, as the keeper puts them there.
 */
import { SyncGroup } from "../../vrrp/sync_group.ts";
import { Schedule } from "./schedule.ts";
import { Lan, type LanOptions, type Node } from "./vrrp_lan.ts";

/** What a group says is carried out in so many rounds, or it has no end. */
const MAX_ROUNDS = 10;

export class GroupedLans {
  readonly schedule = new Schedule();
  readonly lans: readonly Lan[];
  /** For how long one node had some of its group's addresses and not all: the longest time ever. */
  longestSplitMs = 0;
  readonly #groups: SyncGroup[];
  readonly #settling = new Set<number>();
  readonly #splitSince = new Map<number, number>();

  constructor(members: readonly LanOptions[]) {
    this.lans = members.map((options, member) =>
      new Lan({
        ...options,
        seed: options.seed + 10 * member,
        synced: true,
        schedule: this.schedule,
        onHandled: (node) => this.#settle(this.lans[member]!.nodes.indexOf(node)),
      })
    );
    this.#groups = members[0]!.priorities.map(() => new SyncGroup());
  }

  get size(): number {
    return this.#groups.length;
  }

  /** The machines of one node. */
  members(at: number): Node[] {
    return this.lans.map((lan) => lan.nodes[at]!);
  }

  /** What `do` does to a machine, for all of one node. */
  each(at: number, act: (lan: Lan, node: Node) => void): void {
    for (const lan of this.lans) act(lan, lan.nodes[at]!);
  }

  run(ms: number): void {
    const end = this.schedule.now + ms;
    while (this.schedule.next <= end) {
      this.schedule.step();
      this.#measure();
    }
    this.schedule.now = end;
    this.#measure();
  }

  /** Nodes that are active for all of the group, and those for some of it. */
  get whole(): number[] {
    return this.#groups.flatMap((_, at) => this.members(at).every(({ active }) => active) ? [at] : []);
  }

  get some(): number[] {
    return this.#groups.flatMap((_, at) => this.members(at).some(({ active }) => active) ? [at] : []);
  }

  #settle(at: number): void {
    // Not while they are being started, or have just crashed.
    if (this.#settling.has(at) || !this.members(at).every(({ running }) => running)) return;
    this.#settling.add(at);
    for (let round = 0;; round++) {
      const steps = this.#groups[at]!.settle(
        this.members(at).map(({ machine }, member) => ({ name: String(member), ...machine!.sync() })),
      );
      if (steps.length === 0) break;
      if (round === MAX_ROUNDS) throw new Error(`the group has no rest: ${JSON.stringify(steps)}`);
      for (const { name, input } of steps) {
        this.lans[Number(name)]!.give(this.members(at)[Number(name)]!, input);
      }
    }
    this.#settling.delete(at);
  }

  #measure(): void {
    const now = this.schedule.now;
    for (let at = 0; at < this.size; at++) {
      const members = this.members(at);
      const active = members.filter((node) => node.active).length;
      const split = active > 0 && active < members.length && members.every(({ running }) => running);
      if (!split) this.#splitSince.delete(at);
      else if (!this.#splitSince.has(at)) this.#splitSince.set(at, now);
      this.longestSplitMs = Math.max(this.longestSplitMs, now - (this.#splitSince.get(at) ?? now));
    }
  }
}
