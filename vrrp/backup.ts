/**
 * What a backup does (RFC 9568 section 6.4.2): follows the Active's adverts, takes over when they stop, and does not
 * follow those of a lower priority once it may preempt.
 */
import type { Action } from "./events.ts";
import type { Instance } from "./instance.ts";
import { type InputOf, learnConfig, learnFault, learnHealth, learnMaintenance } from "./facts.ts";
import { FULL_HEALTH } from "./peers.ts";
import { judgePreempt } from "./preempt.ts";
import { RESIGN_PRIORITY } from "./timing.ts";

export function backupAdvert(self: Instance, advert: InputOf<"advert">, now: number): Action[] {
  const refused = refuse(self, advert);
  if (refused !== null) return refused;
  if (advert.priority === RESIGN_PRIORITY) {
    self.leader = { advert, at: now };
    self.followResigned(now);
    return [];
  }
  const lower = advert.priority < self.priority;
  const verdict = lower
    ? judgePreempt({
      priority: self.priority,
      preempt: self.config.preempt,
      score: self.score,
      healthReason: self.healthReason,
      movedAway: self.movedAway,
      heldUntil: self.hold.until(now),
      ableSince: self.ableSince,
    }, now)
    : { blocked: null, ableSince: null };
  self.ableSince = verdict.ableSince;
  self.waiting = verdict.blocked;
  self.leader = { advert, at: now };
  // Section 6.4.2: one to be preempted is discarded, so that the timer runs out.
  if (!lower || verdict.blocked !== null) self.follow(now, advert.intervalMs);
  return [];
}

/** Adverts that no state may use (RFC 9568 sections 5.2.5 and 7.1, RFC 3768 section 7.1); null: it is a good one. */
export function refuse(self: Instance, advert: InputOf<"advert">): Action[] | null {
  if (advert.count === 0 || advert.intervalMs <= 0) return [];
  if (self.config.version === 2 && advert.intervalMs !== self.config.intervalMs) {
    const ours = `ours is ${self.config.intervalMs} ms`;
    const theirs = `its interval is ${advert.intervalMs} ms`;
    return [{
      kind: "note",
      reason: `ignored an advert of ${
        self.describe(advert)
      }: ${theirs}, ${ours}, and version 2 wants the same`,
    }];
  }
  return null;
}

export function backupTick(self: Instance, _input: InputOf<"tick">, now: number): Action[] {
  if (now < self.activeDownAt) return [];
  if (self.config.synced === true) {
    self.ready = true;
    return [];
  }
  return take(self, now);
}

/** For the reason that it has itself, if it has one. */
export function backupTakeOver(self: Instance, input: InputOf<"takeOver">, now: number): Action[] {
  return self.ready ? take(self, now) : self.toActive(input.reason, now);
}

function take(self: Instance, now: number): Action[] {
  const leader = self.leader;
  const takes = self.score < FULL_HEALTH ? `, though own health is ${self.score} (${self.healthReason})` : "";
  if (leader === null) {
    const waitedMs = Math.round(now - self.followedAt);
    return self.toActive(`no Active was heard for ${waitedMs} ms${takes}`, now);
  }
  const who = self.describe(leader.advert);
  if (leader.advert.priority === RESIGN_PRIORITY) {
    return self.toActive(`${who} gave the address up${takes}`, now);
  }
  // It was still heard after the last advert that was followed, so it lives and is preempted.
  if (leader.at > self.followedAt) {
    self.hold.moved(now);
    return self.toActive(`own priority ${self.priority} preempts ${who}`, now);
  }
  const actions = self.toActive(`${who} was silent for ${Math.round(now - leader.at)} ms${takes}`, now);
  self.contest(now);
  return actions;
}

export function backupFault(
  self: Instance,
  input: InputOf<"hardFault" | "linkDown">,
  now: number,
): Action[] {
  learnFault(self, input);
  return self.toFault(self.faultReason(), now);
}

export function backupMaintenance(self: Instance, input: InputOf<"maintenance">, now: number): Action[] {
  learnMaintenance(self, input.on);
  return input.on ? self.toFault(self.faultReason(), now) : [];
}

export function backupHealth(self: Instance, input: InputOf<"health">, now: number): Action[] {
  learnHealth(self, input, now);
  self.refollow(now);
  return [];
}

export function backupHandOver(self: Instance, input: InputOf<"handOver">): Action[] {
  // Also for one that waits to preempt: the operator wants the address elsewhere.
  self.movedAway = input.reason;
  return [{ kind: "note", reason: "nothing to hand over: this node is not active, and will not preempt" }];
}

/** A living Active is heard within its interval, once the queue is read. */
export function backupStalled(self: Instance, _input: InputOf<"stalled">, now: number): Action[] {
  self.ready = false;
  // The timer and what it counts from move together, so that nothing learnt meanwhile makes it fire at once.
  const laterMs = Math.max(0, now + self.followMs - self.activeDownAt);
  self.activeDownAt += laterMs;
  self.followedAt += laterMs;
  return [];
}

export function backupStop(self: Instance, _input: InputOf<"stop">, now: number): Action[] {
  return self.toInitialize("stopped", now);
}

export function backupReconfigure(self: Instance, input: InputOf<"reconfigure">, now: number): Action[] {
  if (learnConfig(self, input.config) !== null) self.refollow(now);
  return [];
}
