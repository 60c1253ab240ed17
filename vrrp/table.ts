/**
 * The transition table: what each phase does with each input, and where that may lead.
 *
 * An input that a phase does not know is an error, and so is a move that is not listed: the diagram in
 * docs/vrrp-states.md is drawn from here and cannot be wrong.
 */
import * as active from "./active.ts";
import * as backup from "./backup.ts";
import type { Action, Input, Phase } from "./events.ts";
import * as idle from "./idle.ts";
import type { InputOf } from "./facts.ts";
import type { Instance } from "./instance.ts";

export type Handler<I extends Input> = (self: Instance, input: I, now: number) => Action[];

/** A possible move to another phase, and when it is made. */
export interface Edge {
  readonly to: Phase;
  readonly when: string;
}

export interface Entry<I extends Input> {
  readonly run: Handler<I>;
  readonly edges: readonly Edge[];
}

export type Row = { readonly [K in Input["kind"]]?: Entry<InputOf<K>> };

function on<I extends Input>(run: Handler<I>, ...edges: [to: Phase, when: string][]): Entry<I> {
  return { run, edges: edges.map(([to, when]) => ({ to, when })) };
}

export const TABLE: Readonly<Record<Phase, Row>> = {
  initialize: {
    start: on(
      idle.start,
      ["backup", "start"],
      ["active", "start with priority 255"],
      ["fault", "start with a hard fault"],
    ),
    resume: on(
      idle.resume,
      ["backup", "resume"],
      ["active", "resume: as the keeper before"],
      ["fault", "resume with a hard fault"],
    ),
    stop: on(idle.ignore),
    advert: on(idle.ignore),
    tick: on(idle.ignore),
    hardFault: on(idle.noteFault),
    faultCleared: on(idle.noteFaultCleared),
    linkDown: on(idle.noteFault),
    linkUp: on(idle.noteFaultCleared),
    health: on(idle.noteHealth),
    peerHealth: on(idle.notePeer),
    handOver: on(idle.noteHandOver),
    takeOver: on(idle.ignore),
    stepDown: on(idle.ignore),
    maintenance: on(idle.noteMaintenance),
    stalled: on(idle.ignore),
    addressLost: on(idle.ignore),
    foreignSilent: on(idle.ignore),
    reconfigure: on(idle.noteConfig),
  },
  backup: {
    stop: on(backup.backupStop, ["initialize", "stop"]),
    advert: on(backup.backupAdvert),
    tick: on(backup.backupTick, ["active", "ActiveDown: silence, resignation or preemption"]),
    hardFault: on(backup.backupFault, ["fault", "hard fault"]),
    faultCleared: on(idle.noteFaultCleared),
    linkDown: on(backup.backupFault, ["fault", "link down"]),
    linkUp: on(idle.noteFaultCleared),
    health: on(backup.backupHealth),
    peerHealth: on(idle.notePeer),
    handOver: on(backup.backupHandOver),
    takeOver: on(backup.backupTakeOver, ["active", "its sync group takes over"]),
    stepDown: on(idle.ignore),
    maintenance: on(backup.backupMaintenance, ["fault", "maintenance"]),
    stalled: on(backup.backupStalled),
    addressLost: on(idle.ignore),
    foreignSilent: on(idle.ignore),
    reconfigure: on(backup.backupReconfigure),
  },
  active: {
    stop: on(active.activeStop, ["initialize", "stop: priority 0"]),
    advert: on(
      active.activeAdvert,
      ["backup", "another Active wins"],
      ["yielding", "another preempts, or does not hear us"],
    ),
    tick: on(active.activeTick),
    hardFault: on(active.activeFault, ["fault", "hard fault: priority 0"]),
    faultCleared: on(idle.noteFaultCleared),
    linkDown: on(active.activeFault, ["fault", "link down"]),
    linkUp: on(idle.noteFaultCleared),
    health: on(active.activeHealth, ["yielding", "soft fault, and a peer is better off"]),
    peerHealth: on(active.activePeerHealth, ["yielding", "soft fault, and a peer is better off"]),
    handOver: on(active.activeHandOver, ["yielding", "hand-over"]),
    takeOver: on(idle.ignore),
    stepDown: on(active.activeStepDown, ["yielding", "its sync group goes"]),
    maintenance: on(active.activeMaintenance, ["yielding", "maintenance"]),
    stalled: on(active.activeStalled, ["backup", "stood still for longer than ActiveDown"]),
    addressLost: on(active.activeAddressLost),
    foreignSilent: on(active.activeForeignSilent),
    reconfigure: on(active.activeReconfigure),
  },
  yielding: {
    stop: on(active.activeStop, ["initialize", "stop: priority 0"]),
    advert: on(
      active.yieldingAdvert,
      ["backup", "another is active"],
      ["fault", "maintenance, and another is active"],
      ["active", "who took over resigns"],
    ),
    tick: on(
      active.yieldingTick,
      ["backup", "end of the grace"],
      ["active", "nobody took over within ActiveDown"],
      ["fault", "maintenance, and the grace is over or nobody took over within ActiveDown"],
    ),
    hardFault: on(active.activeFault, ["fault", "hard fault: priority 0"]),
    faultCleared: on(idle.noteFaultCleared),
    linkDown: on(active.activeFault, ["fault", "link down"]),
    linkUp: on(idle.noteFaultCleared),
    health: on(idle.noteHealth),
    peerHealth: on(idle.notePeer),
    handOver: on(idle.ignore),
    takeOver: on(active.yieldingTakeOver, ["active", "its sync group stays"]),
    stepDown: on(active.yieldingStepDown),
    maintenance: on(active.yieldingMaintenance, ["active", "maintenance ended"]),
    stalled: on(
      active.yieldingStalled,
      ["backup", "stood still for longer than ActiveDown"],
      ["fault", "maintenance, and stood still for longer than ActiveDown"],
    ),
    addressLost: on(active.yieldingAddressLost),
    foreignSilent: on(idle.ignore),
    reconfigure: on(active.yieldingReconfigure),
  },
  fault: {
    stop: on(idle.faultStop, ["initialize", "stop"]),
    advert: on(idle.faultAdvert),
    tick: on(idle.ignore),
    hardFault: on(idle.noteFault),
    faultCleared: on(idle.faultChanged, ["backup", "no fault is left"]),
    linkDown: on(idle.noteFault),
    linkUp: on(idle.faultChanged, ["backup", "no fault is left"]),
    health: on(idle.noteHealth),
    peerHealth: on(idle.notePeer),
    handOver: on(idle.noteHandOver),
    takeOver: on(idle.ignore),
    stepDown: on(idle.ignore),
    maintenance: on(idle.faultChanged, ["backup", "no fault is left"]),
    stalled: on(idle.ignore),
    addressLost: on(idle.ignore),
    foreignSilent: on(idle.ignore),
    reconfigure: on(idle.noteConfig),
  },
};
