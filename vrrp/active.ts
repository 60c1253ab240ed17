/**
 * What an Active does (RFC 9568 section 6.4.3), and how it goes: at once when it must, and otherwise by yielding, so
 * that the address is with one node or the other at every moment.
 *
 * It goes at once when another Active wins, on a hard fault, after a stall, and when stopped. It yields to a healthier
 * peer, to maintenance and to the operator's hand-over.
 */
import { refuse } from "./backup.ts";
import type { Action } from "./events.ts";
import {
  type InputOf,
  learnConfig,
  learnFault,
  learnHealth,
  learnMaintenance,
  learnPeer,
  MAINTENANCE,
} from "./facts.ts";
import { FREE_MOVES, STEADY_MS } from "./holddown.ts";
import { compareAddresses, type Instance, type Leaving } from "./instance.ts";
import { activeDownMs, RESIGN_PRIORITY, skewMs } from "./timing.ts";

/** Adverts at the old interval after it grew: backups that miss one would take over before the next. */
const QUICK_ADVERTS = 3;

export function activeAdvert(self: Instance, advert: InputOf<"advert">, now: number): Action[] {
  const refused = refuse(self, advert);
  if (refused !== null) return refused;
  if (advert.priority === RESIGN_PRIORITY) {
    return self.mayAnswer(now) ? [self.sendAdvert(now), ...self.reassert(now)] : [];
  }
  const order = compareAddresses(advert.sender, self.config.localAddress);
  if (advert.priority === self.priority && order === 0) return [];
  const wins = advert.priority < self.priority || (advert.priority === self.priority && order < 0);
  const deaf = wins && isDeaf(self, advert, now);
  const won = wins && !deaf;
  // The loser may go on announcing, and its last word may be lost.
  if (won) self.contest(now);
  const counts = wins && isConflict(self, advert, now);
  if (won && !counts && !self.mayAnswer(now)) return self.announceSoon(now);
  const who = self.describe(advert);
  const reason = won
    ? `${who} was active too: staying active with priority ${self.priority}`
    : deaf
    ? `${who} stays active and does not hear us: leaving the address to it`
    : `${who} is active too and wins over priority ${self.priority}`;
  const { sender, priority } = advert;
  const conflict: Action = { kind: "conflict", sender, priority, won, counts, reason };
  // Besides the regular ones: an answer that gets lost must not put the next advert off.
  if (won) return [conflict, self.advert(self.priority), ...self.reassert(now)];
  if (deaf) {
    // Counted double, so that it is not fetched back at once only to find that we are still not heard.
    self.hold.moved(now, FREE_MOVES);
    // Not at once: should it have heard us at last, this is its last word, and then nobody would be active.
    const heedAt = now + advert.intervalMs / 2;
    return [
      conflict,
      ...self.toYielding({ to: "backup", onPurpose: false, reason, heedAt, graceful: false }, now),
    ];
  }
  if (isPreemption(self, advert, now)) {
    const why = `own priority ${self.priority} is the lower one`;
    const yielding = { to: "backup", onPurpose: false, reason: why, heedAt: now, graceful: true } as const;
    return [conflict, ...self.toLeaving(yielding, advert, now)];
  }
  // Our last advert makes the winner announce again, after our address is gone; else clients keep asking us.
  return [
    conflict,
    { kind: "removeAddresses" },
    self.advert(self.priority),
    ...self.toBackup(reason, now, advert),
  ];
}

/** Adverts that a backup waits out before it preempts, and that it misses before it takes over from silence. */
const WAITED_INTERVALS = 3;

/**
 * The winner preempts us, and was no Active all along behind a cut cable: it said that it is backup so short a time ago
 * that it cannot have missed us for long enough. And it has had the time to hear us first: two that have just begun
 * are a race. Only then may both have the address for the grace.
 */
function isPreemption(self: Instance, { node }: InputOf<"advert">, now: number): boolean {
  const before = now - WAITED_INTERVALS * self.config.intervalMs;
  return self.claimedAt <= before && self.peers.wasStandby(node, before);
}

/**
 * A loser that heard our answer would be gone. One that still sends after its own ActiveDown does not hear us, so
 * that only we can end two nodes holding one address; and what we send may reach nobody else, either.
 */
function isDeaf(self: Instance, advert: InputOf<"advert">, now: number): boolean {
  const patienceMs = activeDownMs(self.config.version, advert.priority, advert.intervalMs);
  const before = self.rival;
  const same = before !== null && compareAddresses(before.sender, advert.sender) === 0 &&
    now - before.at <= patienceMs;
  self.rival = { sender: advert.sender, since: same ? before.since : now, at: now };
  return now - self.rival.since > patienceMs;
}

/**
 * For how long two Actives are explained by a take-over: the one that is preempted hears our first advert, or, when
 * that was lost, the second; its last word is on the way then. The skew is its share of an interval to do so.
 *
 * Only whoever wins can tell. It knows since when it is active itself; for the loser the first advert of the winner is
 * the same whether it preempts now or was active for an hour behind a cut cable.
 */
function explainedMs({ config: { version, intervalMs } }: Instance, rival: InputOf<"advert">): number {
  return intervalMs + skewMs(version, rival.priority, intervalMs);
}

/** True once for as long as others that should lose go on, whoever they are. */
function isConflict(self: Instance, advert: InputOf<"advert">, now: number): boolean {
  if (now - self.claimedAt <= explainedMs(self, advert)) return false;
  const patienceMs = activeDownMs(self.config.version, advert.priority, advert.intervalMs);
  const goesOn = now - self.conflictAt <= patienceMs;
  self.conflictAt = now;
  return !goesOn;
}

export function activeTick(self: Instance, _input: InputOf<"tick">, now: number): Action[] {
  const actions: Action[] = [];
  if (now >= self.adverAt) actions.push(self.sendAdvert(now), ...self.announceAgain(now));
  if (now >= self.announceAt) actions.push(self.announce(now));
  return actions;
}

export function activeFault(
  self: Instance,
  input: InputOf<"hardFault" | "linkDown">,
  now: number,
): Action[] {
  learnFault(self, input);
  self.hold.moved(now);
  // Without a link it would wait in a queue, and resign in our name when the cable is back.
  const last: Action[] = input.kind === "linkDown" ? [] : [self.advert(RESIGN_PRIORITY)];
  return [...last, { kind: "removeAddresses" }, ...self.toFault(self.faultReason(), now)];
}

export function activeMaintenance(self: Instance, input: InputOf<"maintenance">, now: number): Action[] {
  learnMaintenance(self, input.on);
  return input.on
    ? self.toYielding({
      to: "fault",
      onPurpose: false,
      reason: self.faultReason(),
      heedAt: now,
      graceful: true,
    }, now)
    : [];
}

export function activeHandOver(self: Instance, input: InputOf<"handOver">, now: number): Action[] {
  return self.toYielding(
    { to: "backup", onPurpose: true, reason: input.reason, heedAt: now, graceful: true },
    now,
  );
}

/** With another of its sync group, and as gently as that one lets it. */
export function activeStepDown(self: Instance, input: InputOf<"stepDown">, now: number): Action[] {
  const { reason, onPurpose, final } = input;
  return self.toYielding({ to: "backup", onPurpose, reason, heedAt: now, graceful: !final, final }, now);
}

export function activeHealth(self: Instance, input: InputOf<"health">, now: number): Action[] {
  const told = learnHealth(self, input, now) ? [self.sendAdvert(now)] : [];
  return [...told, ...yieldToBetter(self, now)];
}

export function activePeerHealth(self: Instance, input: InputOf<"peerHealth">, now: number): Action[] {
  learnPeer(self, input);
  return yieldToBetter(self, now);
}

/** Soft faults: only to a peer that is better off, and not too often. When all are bad nobody moves. */
function yieldToBetter(self: Instance, now: number): Action[] {
  const peer = self.betterPeer(now);
  if (peer === null) {
    self.waiting = null;
    return [];
  }
  const heldMs = Math.min(self.hold.until(now), peer.since + STEADY_MS) - now;
  if (heldMs > 0) {
    return wait(self, `the address stays for another ${Math.ceil(heldMs)} ms, after too many moves`);
  }
  if (self.wasWell) self.hold.moved(now);
  const reason = `own health is ${self.score} (${self.healthReason}), that of ${peer.node} is ${peer.score}`;
  return self.toYielding({ to: "backup", onPurpose: false, reason, heedAt: now, graceful: false }, now);
}

/** Told once; the status says how long it still is. */
function wait(self: Instance, reason: string): Action[] {
  const told = self.waiting !== null;
  self.waiting = reason;
  return told
    ? []
    : [{ kind: "note", reason: `own health is ${self.score} (${self.healthReason}): ${reason}` }];
}

/** No word to anyone: others may have taken over, and a resignation would take it from them. */
export function activeStalled(self: Instance, input: InputOf<"stalled">, now: number): Action[] {
  const downMs = self.ownDownMs;
  if (input.ms <= downMs) return [];
  const stood = `stood still for ${Math.round(input.ms)} ms`;
  const reason = `${stood}, others take over after ${Math.round(downMs)} ms`;
  return [{ kind: "removeAddresses" }, ...self.toBackup(reason, now)];
}

export function activeAddressLost(self: Instance, _input: InputOf<"addressLost">, now: number): Action[] {
  return [
    { kind: "note", reason: "an address was removed by someone else: put back" },
    ...self.reassert(now),
  ];
}

/** It does not tell the LAN that it has no address any more, and takes no notice of us: only we can. */
export function activeForeignSilent(self: Instance, _input: InputOf<"foreignSilent">, now: number): Action[] {
  return self.announceSoon(now);
}

export function yieldingAddressLost(): Action[] {
  // Not announced: another may be taking over at this moment.
  return [{ kind: "addAddresses" }];
}

export function activeStop(self: Instance, _input: InputOf<"stop">, now: number): Action[] {
  return [self.advert(RESIGN_PRIORITY), { kind: "removeAddresses" }, ...self.toInitialize("stopped", now)];
}

export function activeReconfigure(self: Instance, input: InputOf<"reconfigure">, now: number): Action[] {
  const beforeMs = self.config.intervalMs;
  const changed = learnConfig(self, input.config);
  if (changed === null) return [];
  if (self.config.intervalMs > beforeMs) self.quick = { left: QUICK_ADVERTS, ms: beforeMs };
  const advert = self.sendAdvert(now);
  return changed.addresses ? [advert, ...self.reassert(now)] : [advert];
}

/** Another has it: go, at once or after the grace. */
export function yieldingAdvert(self: Instance, advert: InputOf<"advert">, now: number): Action[] {
  const refused = refuse(self, advert);
  if (refused !== null) return refused;
  const { leaving, heedAt, graceful, untilAt, ...why } = self.yielding!;
  if (advert.priority === RESIGN_PRIORITY) {
    const same = leaving !== null && compareAddresses(leaving.advert.sender, advert.sender) === 0;
    return same ? resume(self, `${self.describe(advert)} gave the address back at once`, now) : [];
  }
  if (now < heedAt) return [];
  if (!graceful) return leave(self, { advert, heardAt: now }, now);
  const actions = self.toLeaving({ ...why, heedAt, graceful }, advert, now);
  // The grace counts from the first.
  if (leaving !== null) self.yielding = { ...self.yielding!, untilAt };
  return actions;
}

function leave(self: Instance, { advert, heardAt }: Leaving, now: number): Action[] {
  const { to, onPurpose, reason } = self.yielding!;
  const taken = `${reason}; ${self.describe(advert)} took over`;
  // As the loser of two Actives does; of a priority that loses for certain, and takes nobody's timer away.
  const last = advert.priority > 1 ? [self.advert(1)] : [];
  const moved = to === "fault" ? self.toFault(taken, now) : self.toBackup(taken, now, advert);
  if (to === "backup") {
    self.leader = { advert, at: heardAt };
    self.follow(heardAt, advert.intervalMs);
  }
  if (onPurpose) self.movedAway = reason;
  return [{ kind: "removeAddresses" }, ...last, ...moved];
}

export function yieldingTick(self: Instance, _input: InputOf<"tick">, now: number): Action[] {
  const { untilAt, to, reason, leaving, final } = self.yielding!;
  if (leaving !== null) return now >= untilAt ? leave(self, leaving, now) : [];
  if (now >= untilAt) {
    if (final === true) return depart(self, `${reason}; nobody was heard to take over`, now);
    if (to === "backup") return resume(self, `nobody took the address over (${reason})`, now);
    return [{ kind: "removeAddresses" }, ...self.toFault(`${reason}; nobody took over`, now)];
  }
  return now >= self.adverAt ? [self.sendAdvert(now)] : [];
}

function depart(self: Instance, reason: string, now: number): Action[] {
  const { to, onPurpose, reason: why } = self.yielding!;
  const moved = to === "fault" ? self.toFault(reason, now) : self.toBackup(reason, now);
  if (onPurpose) self.movedAway = why;
  return [{ kind: "removeAddresses" }, ...moved];
}

export function yieldingStepDown(self: Instance, input: InputOf<"stepDown">, now: number): Action[] {
  const yielding = self.yielding!;
  if (!input.final || yielding.final === true || yielding.leaving !== null) return [];
  self.yielding = { ...yielding, final: true, untilAt: Math.min(yielding.untilAt, now + self.graceMs) };
  return [];
}

/** The rest of the sync group stays. */
export function yieldingTakeOver(self: Instance, input: InputOf<"takeOver">, now: number): Action[] {
  return self.yielding!.leaving === null ? resume(self, input.reason, now) : [];
}

export function yieldingMaintenance(self: Instance, input: InputOf<"maintenance">, now: number): Action[] {
  learnMaintenance(self, input.on);
  if (input.on) self.yielding = { ...self.yielding!, to: "fault", reason: self.faultReason() };
  else if (self.yielding!.leaving !== null) self.yielding = { ...self.yielding!, to: "backup" };
  else if (self.yielding!.to === "fault") {
    return resume(self, "maintenance ended before anyone took over", now);
  }
  return [];
}

export function yieldingStalled(self: Instance, input: InputOf<"stalled">, now: number): Action[] {
  if (!self.faults.has(MAINTENANCE) || input.ms <= self.ownDownMs) return activeStalled(self, input, now);
  return [{ kind: "removeAddresses" }, ...self.toFault(self.faultReason(), now)];
}

export function yieldingReconfigure(self: Instance, input: InputOf<"reconfigure">): Action[] {
  return learnConfig(self, input.config)?.addresses ? [{ kind: "addAddresses" }] : [];
}

function resume(self: Instance, reason: string, now: number): Action[] {
  return [{ kind: "note", reason: `staying active: ${reason}` }, ...self.toActive(reason, now)];
}
