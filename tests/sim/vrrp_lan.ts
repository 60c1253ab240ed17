/**
 * A LAN of simulated nodes that elect who holds an address: loss, delay, duplicates, partitions, crashes, freezes and
 * clocks that run at slightly different rates. Time jumps from event to event; the same seed gives the same run.
 *
 * No timer is ever cancelled: every tick that was once asked for is delivered, as a careless runner would.
 */
import { seededRandom } from "../../mod/base/random.ts";
import type { Input, InstanceConfig } from "../../vrrp/events.ts";
import { GRACE_MS } from "../../vrrp/instance.ts";
import { Machine } from "../../vrrp/machine.ts";
import { REPORT_MS } from "../../vrrp/peers.ts";
import { activeDownMs } from "../../vrrp/timing.ts";
import { Schedule } from "./schedule.ts";

export interface LanOptions {
  readonly seed: number;
  readonly priorities: readonly number[];
  readonly intervalMs: number;
  readonly preempt?: boolean | number;
  readonly delayMs?: number;
  readonly loss?: number;
  readonly duplicates?: number;
  /** Clocks run at 1 ± this. */
  readonly drift?: number;
  /** In a sync group. */
  readonly synced?: boolean;
  /** Of several LANs that go through the same time. */
  readonly schedule?: Schedule;
  /** Called when a machine has taken an input, and what it wanted was done. */
  readonly onHandled?: (node: Node) => void;
  /** Also delivers ticks that nobody asked for, so many a second and node. */
  readonly spuriousTicks?: number;
}

export interface Swap {
  readonly at: number;
  readonly node: string;
  readonly reason: string;
  /** Other nodes that were active, running and connected at this moment. */
  readonly rivals: readonly string[];
}

export class Node {
  machine: Machine | null = null;
  /** The virtual address is on this node's interface. */
  holds = false;
  frozenSince: number | null = null;
  score = 100;
  group = 0;
  /** What it sends is lost, while it hears all the others. */
  mute = false;
  readonly queue: Input[] = [];
  readonly asked = new Set<number>();

  constructor(readonly name: string, readonly config: InstanceConfig, readonly rate: number) {}

  get running(): boolean {
    return this.machine !== null && this.frozenSince === null;
  }

  get active(): boolean {
    return this.running && this.machine!.state === "active";
  }
}

export class Lan {
  readonly nodes: readonly Node[];
  readonly schedule: Schedule;
  readonly swaps: Swap[] = [];
  /** Who counted a conflict, and when. */
  readonly conflicts: { readonly at: number; readonly node: string }[] = [];
  readonly trace: string[] = [];
  readonly random: () => number;
  loss: number;
  /** Time with no, and with several Actives since `resetTimes`. */
  noneMs = 0;
  severalMs = 0;
  #delayMs: number;
  #duplicates: number;

  constructor(readonly options: LanOptions) {
    this.schedule = options.schedule ?? new Schedule();
    this.random = seededRandom(options.seed);
    this.loss = options.loss ?? 0;
    this.#delayMs = options.delayMs ?? 1;
    this.#duplicates = options.duplicates ?? 0;
    const addresses = ["10.0.0.50/24"];
    const rates = seededRandom(options.seed + 1);
    this.nodes = options.priorities.map((priority, at) => {
      const localAddress = new Uint8Array([10, 0, 0, at + 1]);
      const { intervalMs, preempt = true, synced = false } = options;
      const config = { version: 3, priority, intervalMs, preempt, localAddress, addresses, synced } as const;
      return new Node(`n${at + 1}`, config, 1 + (options.drift ?? 0) * (2 * rates() - 1));
    });
    for (const node of this.nodes) this.#report(node);
    if (options.spuriousTicks !== undefined) this.#disturb(options.spuriousTicks);
  }

  get now(): number {
    return this.schedule.now;
  }

  get actives(): string[] {
    return this.nodes.filter((node) => node.active).map((node) => node.name);
  }

  get holders(): string[] {
    return this.nodes.filter((node) => node.holds).map((node) => node.name);
  }

  /** The longest that an election may take once the network is whole. */
  get boundMs(): number {
    const { intervalMs, priorities, drift = 0 } = this.options;
    const downMs = activeDownMs(3, Math.min(...priorities), intervalMs);
    return downMs / (1 - drift) + this.#delayMs;
  }

  /** How long a node may keep the address when another has taken it as planned. */
  get graceMs(): number {
    const { intervalMs, drift = 0 } = this.options;
    return Math.min(GRACE_MS, intervalMs) / (1 - drift);
  }

  run(ms: number): void {
    const end = this.now + ms;
    while (this.schedule.next <= end) {
      this.#count(this.schedule.next);
      this.schedule.step();
    }
    this.#count(end);
    this.schedule.now = end;
  }

  resetTimes(): void {
    this.noneMs = this.severalMs = 0;
  }

  start(node: Node): void {
    if (node.machine !== null) return;
    node.machine = new Machine(node.config);
    this.#give(node, { kind: "health", score: node.score, priorityChange: 0, reason: "" });
    this.#give(node, { kind: "start" });
  }

  /** kill -9: the address stays until its lease ends. */
  crash(node: Node): void {
    node.machine = null;
    node.frozenSince = null;
    node.queue.length = 0;
    this.#lease(node);
  }

  stop(node: Node): void {
    if (!node.running) return;
    this.#give(node, { kind: "stop" });
    node.machine = null;
  }

  freeze(node: Node): void {
    if (!node.running) return;
    node.frozenSince = this.now;
    this.#lease(node);
  }

  /** The runner's order: the stall, then what queued up, then the timers. */
  thaw(node: Node): void {
    if (node.frozenSince === null) return;
    const ms = (this.now - node.frozenSince) * node.rate;
    node.frozenSince = null;
    if (ms > activeDownMs(3, node.config.priority, node.config.intervalMs)) {
      this.#give(node, { kind: "stalled", ms });
    }
    for (const input of node.queue.splice(0)) this.#give(node, input);
    this.#give(node, { kind: "tick" });
    // Its lease may be over though it was not away for long enough to be replaced.
    if (node.active && !node.holds) this.#give(node, { kind: "addressLost" });
  }

  setHealth(node: Node, score: number): void {
    node.score = score;
    this.give(node, { kind: "health", score, priorityChange: 0, reason: "its check" });
  }

  give(node: Node, input: Input): void {
    if (node.machine === null) return;
    if (node.frozenSince !== null) node.queue.push(input);
    else this.#give(node, input);
  }

  #local(node: Node): number {
    return this.now * node.rate;
  }

  #give(node: Node, input: Input): void {
    const machine = node.machine!;
    for (const action of machine.handle(input, this.#local(node))) {
      if (action.kind === "conflict" && action.counts) this.conflicts.push({ at: this.now, node: node.name });
      if (action.kind === "addAddresses") node.holds = true;
      if (action.kind === "removeAddresses") node.holds = false;
      if (action.kind === "sendAdvert") {
        this.trace.push(`${this.now} ${node.name} advert ${action.priority}`);
        this.#send(node, () => ({
          kind: "advert",
          priority: action.priority,
          intervalMs: action.intervalMs,
          sender: node.config.localAddress,
          count: 1,
          node: node.name,
          health: node.score,
        }));
      }
      if (action.kind === "notify") {
        this.trace.push(`${this.now} ${node.name} ${action.from}->${action.to}: ${action.reason}`);
        if (action.to === "active") this.#noteSwap(node, action.reason);
      }
    }
    this.#ask(node, machine);
    this.options.onHandled?.(node);
  }

  #noteSwap(node: Node, reason: string): void {
    const rivals = this.nodes.filter((other) => other !== node && other.active && other.group === node.group)
      .map((other) => other.name);
    this.swaps.push({ at: this.now, node: node.name, reason, rivals });
  }

  /** Asks for a tick at the machine's deadline; those asked for before still come. */
  #ask(node: Node, machine: Machine): void {
    const deadline = machine.deadline();
    if (deadline === Infinity || node.asked.has(deadline)) return;
    node.asked.add(deadline);
    // A hair late, as the division may come out a hair early.
    this.schedule.in(Math.max(0, deadline / node.rate - this.now) + 1e-6, () => {
      node.asked.delete(deadline);
      if (node.running) this.#give(node, { kind: "tick" });
    });
  }

  #send(from: Node, make: (at: Node) => Input): void {
    for (const to of this.nodes) {
      if (to === from) continue;
      const copies = this.random() < this.#duplicates ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        const lost = this.random() < this.loss || from.mute;
        const delayMs = this.random() * this.#delayMs;
        if (lost || to.group !== from.group) continue;
        this.schedule.in(delayMs, () => this.give(to, make(to)));
      }
    }
  }

  #report(node: Node): void {
    const everyMs = Math.max(node.config.intervalMs, REPORT_MS);
    this.schedule.in(everyMs, () => {
      if (node.running) {
        const score = node.score;
        const standby = node.machine!.state === "backup";
        const able = node.machine!.state !== "fault" && node.machine!.state !== "initialize";
        this.#send(
          node,
          (to) => ({ kind: "peerHealth", node: node.name, score, able, standby, at: this.#local(to) }),
        );
      }
      this.#report(node);
    });
  }

  #lease(node: Node): void {
    const machine = node.machine;
    this.schedule.in(Math.max(1000, 3 * node.config.intervalMs), () => {
      if (!node.running && node.machine === machine) node.holds = false;
    });
  }

  /** Its own random numbers, so that the rest of the run stays what it was. */
  #disturb(perSecond: number): void {
    const random = seededRandom(this.options.seed + 2);
    const next = () => {
      for (const node of this.nodes) if (node.running) this.#give(node, { kind: "tick" });
      this.schedule.in(random() * 2000 / perSecond, next);
    };
    this.schedule.in(0, next);
  }

  #count(until: number): void {
    const count = this.actives.length;
    const ms = Math.max(0, until - this.now);
    if (count === 0) this.noneMs += ms;
    if (count > 1) this.severalMs += ms;
  }
}
