/**
 * What a node does that takes no part: not started (initialize), or without something it needs (fault).
 *
 * It only learns; adverts tell it who is active. Other states do the same with what they too only have to know.
 */
import type { Action } from "./events.ts";
import {
  forgetFault,
  type InputOf,
  learnConfig,
  learnFault,
  learnHealth,
  learnMaintenance,
  learnPeer,
} from "./facts.ts";
import type { Instance } from "./instance.ts";
import { OWNER_PRIORITY, RESIGN_PRIORITY } from "./timing.ts";

/** RFC 9568 section 6.4.1. Addresses that a crash left behind go before the first advert. */
export function start(self: Instance, _input: InputOf<"start">, now: number): Action[] {
  if (self.faults.size > 0) {
    return [{ kind: "removeAddresses" }, ...self.toFault(self.faultReason(), now)];
  }
  // The owner's addresses are its own: they are not left over.
  if (self.priority === OWNER_PRIORITY) return self.toActive("priority 255 owns the addresses", now);
  return [{ kind: "removeAddresses" }, ...self.toBackup("started", now)];
}

/** As a start, but for what goes on as it was. */
export function resume(self: Instance, { carried }: InputOf<"resume">, now: number): Action[] {
  const { state, reason, forMs, wasWell, movedAway, followMs, moves } = carried;
  const goesOn = state === "active" && self.faults.size === 0;
  const lost: Action[] = state === "active" && !goesOn ? [self.advert(RESIGN_PRIORITY)] : [];
  const begun = goesOn
    ? self.resumeActive(reason, now)
    : start(self, { kind: "start" }, now).filter(({ kind }) => kind !== "notify");
  self.wasWell = wasWell;
  self.movedAway = movedAway;
  self.hold.resume(moves, now);
  if (self.phase === "backup") self.follow(now, followMs);
  const actions = [...lost, ...begun];
  if (self.state !== state) {
    return [...actions, { kind: "notify", from: state, to: self.state, reason: self.reason }];
  }
  self.reason = reason;
  self.since = self.claimedAt = now - forMs;
  return actions;
}

export function ignore(): Action[] {
  return [];
}

export function noteFault(self: Instance, input: InputOf<"hardFault" | "linkDown">): Action[] {
  learnFault(self, input);
  if (self.phase === "fault") self.reason = self.faultReason();
  return [];
}

export function noteFaultCleared(self: Instance, input: InputOf<"faultCleared" | "linkUp">): Action[] {
  forgetFault(self, input);
  return [];
}

export function noteMaintenance(self: Instance, input: InputOf<"maintenance">): Action[] {
  learnMaintenance(self, input.on);
  return [];
}

export function noteHealth(self: Instance, input: InputOf<"health">, now: number): Action[] {
  learnHealth(self, input, now);
  return [];
}

export function notePeer(self: Instance, input: InputOf<"peerHealth">): Action[] {
  learnPeer(self, input);
  return [];
}

export function noteConfig(self: Instance, input: InputOf<"reconfigure">): Action[] {
  learnConfig(self, input.config);
  return [];
}

export function noteHandOver(self: Instance): Action[] {
  return [{ kind: "note", reason: `nothing to hand over: this node is in ${self.phase}` }];
}

export function faultAdvert(self: Instance, advert: InputOf<"advert">, now: number): Action[] {
  self.leader = advert.priority === RESIGN_PRIORITY ? null : { advert, at: now };
  return [];
}

/** Back into the election when nothing is missing any more. */
export function faultChanged(
  self: Instance,
  input: InputOf<"faultCleared" | "linkUp" | "maintenance">,
  now: number,
): Action[] {
  if (input.kind === "maintenance") learnMaintenance(self, input.on);
  else forgetFault(self, input);
  if (self.faults.size > 0) {
    self.reason = self.faultReason();
    return [];
  }
  const what = input.kind === "faultCleared" ? input.what : input.kind === "linkUp" ? "link" : "maintenance";
  return self.toBackup(`${what} is no fault any more`, now);
}

export function faultStop(self: Instance, _input: InputOf<"stop">, now: number): Action[] {
  return self.toInitialize("stopped", now);
}
