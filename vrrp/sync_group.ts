/**
 * A sync group: virtual routers of one node that are active together or not at all, as the ways in and out of a
 * firewall have to be. A layer over their machines, which know nothing of each other. Pure.
 *
 * - Who could take over waits until all could (as in keepalived): while another node has one of the addresses, it is to
 *   have all of them.
 * - Who goes takes the others along: yielding when it yields, after a grace when it has lost the address.
 * - A hard fault of one is a fault of all.
 *
 * It compares what the members are with what they were at the last call, so that it has to be asked after every input
 * of a member, and again after its own answer was carried out, until the answer is empty.
 */
import type { Input, Phase } from "./events.ts";
import { SYNC } from "./facts.ts";

/** What a machine tells its group. */
export interface SyncFacts {
  readonly phase: Phase;
  /** It would be active if it were alone. */
  readonly ready: boolean;
  /** Yielding, and another has the address. */
  readonly leaving: boolean;
  /** Why it yields, and whether by the operator's will; "" and false when it does not. */
  readonly reason: string;
  readonly onPurpose: boolean;
  /** Hard faults of its own; "": it has none. */
  readonly fault: string;
}

export interface SyncMember extends SyncFacts {
  readonly name: string;
}

/** What one member is to be told. */
export interface SyncStep {
  readonly name: string;
  readonly input: Input;
}

export class SyncGroup {
  readonly #before = new Map<string, Phase>();
  /** Members that have a fault because of another. */
  readonly #faulted = new Map<string, string>();

  settle(members: readonly SyncMember[]): SyncStep[] {
    const known = new Map(this.#before);
    this.#before.clear();
    for (const name of this.#faulted.keys()) {
      if (!members.some((one) => one.name === name)) this.#faulted.delete(name);
    }
    for (const { name, phase } of members) this.#before.set(name, phase);
    return [
      ...this.#shareFaults(members),
      ...members.flatMap((one) => moveAlong(one, known.get(one.name), members)),
      ...takeOverTogether(members),
    ];
  }

  #shareFaults(members: readonly SyncMember[]): SyncStep[] {
    return members.flatMap(({ name }): SyncStep[] => {
      const sick = members.find((other) => other.name !== name && other.fault !== "");
      const reason = sick === undefined ? undefined : `${sick.name}: ${sick.fault}`;
      if (reason === this.#faulted.get(name)) return [];
      if (reason === undefined) {
        this.#faulted.delete(name);
        return [{ name, input: { kind: "faultCleared", what: SYNC } }];
      }
      this.#faulted.set(name, reason);
      return [{ name, input: { kind: "hardFault", what: SYNC, reason } }];
    });
  }
}

/** What a move of one member means for the others. */
function moveAlong(one: SyncMember, before: Phase | undefined, members: readonly SyncMember[]): SyncStep[] {
  const { name, phase, onPurpose } = one;
  if (phase === before) return [];
  const others = members.filter((other) => other.name !== name);
  const step = (to: readonly SyncMember[], input: Input) => to.map((other) => ({ name: other.name, input }));
  const having = others.filter(({ phase }) => phase === "active" || phase === "yielding");
  switch (phase) {
    case "yielding": {
      const reason = `with ${name} of its sync group: ${one.reason}`;
      return step(having, { kind: "stepDown", reason, onPurpose, final: false });
    }
    case "backup": {
      if (before !== "active" && before !== "yielding") {
        const there = others.find(({ phase }) => phase === "active");
        return there === undefined ? [] : step([one], takeOver(there.name));
      }
      const reason = `${name} of its sync group has gone`;
      return step(having, { kind: "stepDown", reason, onPurpose: false, final: true });
    }
    case "active":
      return step(others, takeOver(name));
    default:
      return [];
  }
}

function takeOver(name: string): Input {
  return { kind: "takeOver", reason: `with ${name} of its sync group` };
}

/** Only when all are active or could be. */
function takeOverTogether(members: readonly SyncMember[]): SyncStep[] {
  const ready = members.filter((one) => one.ready);
  if (!members.every((one) => one.ready || one.phase === "active")) return [];
  const reason = "all of its sync group can take over";
  return ready.map(({ name }) => ({ name, input: { kind: "takeOver", reason } }));
}
