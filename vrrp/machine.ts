/**
 * The election of one virtual router on this node: RFC 9568's state machine, extended by fault, health and hand-over.
 *
 * `handle(input, now)` in, actions out, one `deadline()`. It knows no socket, no interface and no clock; calling it too
 * often is harmless, as every timer is compared with `now` and dies with its phase. What a phase does is in table.ts.
 */
import type { CarriedInstance } from "./carried.ts";
import type { Action, Input, InstanceConfig, Phase, State } from "./events.ts";
import { MAINTENANCE, SYNC } from "./facts.ts";
import { Instance } from "./instance.ts";
import type { SyncFacts } from "./sync_group.ts";
import { type Handler, TABLE } from "./table.ts";

/** What a person wants to know of the election, at one moment. */
export interface MachineStatus {
  readonly state: State;
  /** Has said that it goes, and still holds the address. */
  readonly yielding: boolean;
  /** Since when the state is what it is, and why. */
  readonly since: number;
  readonly reason: string;
  readonly priority: number;
  readonly health: number;
  readonly healthReason: string;
  /** The Active as last heard by this node; null when it is this node, or unknown. */
  readonly active: string | null;
  /** Why a living Active of lower priority is not preempted, or a better peer not given the address; null: no reason. */
  readonly waiting: string | null;
  /** End of the hold-down, or null. */
  readonly heldUntil: number | null;
}

export class Machine {
  readonly #instance: Instance;

  constructor(config: InstanceConfig) {
    this.#instance = new Instance(config);
  }

  get state(): State {
    return this.#instance.state;
  }

  get phase(): Phase {
    return this.#instance.phase;
  }

  /** The priority that counts now: as configured, changed by weights. */
  get priority(): number {
    return this.#instance.priority;
  }

  /**
   * Takes one input; returns what is to be done, in this order. `now` is monotonic milliseconds.
   * @throws Error when the phase does not know the input: a mistake of the caller.
   */
  handle(input: Input, now: number): Action[] {
    const self = this.#instance;
    const silentMs = now - self.advertSentAt;
    // Whatever comes first after a stall, an advert from the queue too, must not find us active.
    if (silentMs > self.ownDownMs && input.kind !== "stalled") {
      return [...this.#run({ kind: "stalled", ms: silentMs }, now), ...this.#run(input, now)];
    }
    return this.#run(input, now);
  }

  /** What its sync group has to know. */
  sync(): SyncFacts {
    const { phase, ready, yielding } = this.#instance;
    const { reason = "", onPurpose = false, leaving = null } = yielding ?? {};
    return {
      phase,
      ready,
      leaving: leaving !== null,
      reason,
      onPurpose,
      fault: this.#instance.faultReason([SYNC, MAINTENANCE]),
    };
  }

  /** For `resume` in another keeper; null: the address is on its way to another node. */
  carried(now: number): CarriedInstance | null {
    return this.#instance.carried(now);
  }

  /** When the next `tick` is wanted; Infinity: not before another input. */
  deadline(): number {
    const { ready, activeDownAt, adverAt, announceAt, yielding } = this.#instance;
    const takesAt = ready ? Infinity : activeDownAt;
    return Math.min(takesAt, adverAt, announceAt, yielding?.untilAt ?? Infinity);
  }

  status(now: number): MachineStatus {
    const self = this.#instance;
    return {
      state: self.state,
      yielding: self.phase === "yielding",
      since: self.since,
      reason: self.reason,
      priority: self.priority,
      health: self.score,
      healthReason: self.healthReason,
      active: self.leader === null ? null : self.describe(self.leader.advert),
      waiting: self.ready ? "could take over, and waits for the others of its sync group" : self.waiting,
      heldUntil: self.hold.holds(now) ? self.hold.until(now) : null,
    };
  }

  #run(input: Input, now: number): Action[] {
    const from = this.#instance.phase;
    const entry = TABLE[from][input.kind];
    if (entry === undefined) throw new Error(`Cannot handle ${input.kind} while in ${from}`);
    // The row's type ties each handler to its kind of input; the index loses that.
    const actions = (entry.run as Handler<Input>)(this.#instance, input, now);
    const to = this.#instance.phase;
    if (to !== from && !entry.edges.some((edge) => edge.to === to)) {
      throw new Error(`Cannot move from ${from} to ${to} on ${input.kind}: the table has no such edge`);
    }
    return actions;
  }
}
