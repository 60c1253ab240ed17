/**
 * What is learnt in any phase, without a move: faults, health, peers, configuration.
 */
import type { Input, InstanceConfig } from "./events.ts";
import { compareAddresses, type Instance } from "./instance.ts";
import { FULL_HEALTH } from "./peers.ts";

export type InputOf<K extends Input["kind"]> = Extract<Input, { kind: K }>;

/** Names of the faults that have inputs of their own. */
export const LINK = "link";
export const MAINTENANCE = "maintenance";
/** The fault that an instance has because another of its sync group has one. */
export const SYNC = "sync group";

export function learnFault(self: Instance, input: InputOf<"hardFault" | "linkDown">): void {
  if (input.kind === "linkDown") self.faults.set(LINK, "the interface has no link");
  else self.faults.set(input.what, input.reason);
}

/** True when the fault was known. */
export function forgetFault(self: Instance, input: InputOf<"faultCleared" | "linkUp">): boolean {
  return self.faults.delete(input.kind === "linkUp" ? LINK : input.what);
}

export function learnMaintenance(self: Instance, on: boolean): void {
  if (on) self.faults.set(MAINTENANCE, "asked for by the operator");
  else self.faults.delete(MAINTENANCE);
}

/** Returns true when the priority of the election changed. */
export function learnHealth(self: Instance, input: InputOf<"health">, now: number): boolean {
  const before = self.priority;
  if (input.score < self.score) self.worseSince = now;
  self.score = input.score;
  if (input.score >= FULL_HEALTH && self.phase !== "initialize") self.wasWell = true;
  self.healthReason = input.reason;
  self.priorityChange = input.priorityChange;
  return self.priority !== before;
}

export function learnPeer(self: Instance, input: InputOf<"peerHealth">): void {
  const { kind: _, ...peer } = input;
  self.peers.record(peer);
}

/** Takes the configuration; returns what of it changed for the others on the LAN, null: nothing at all did. */
export function learnConfig(self: Instance, config: InstanceConfig): { addresses: boolean } | null {
  const before = self.config;
  const addresses = before.addresses.join() !== config.addresses.join();
  const same = !addresses && before.version === config.version && before.priority === config.priority &&
    before.intervalMs === config.intervalMs && before.preempt === config.preempt &&
    before.synced === config.synced &&
    JSON.stringify(before.announce) === JSON.stringify(config.announce) &&
    compareAddresses(before.localAddress, config.localAddress) === 0;
  if (same) return null;
  self.config = config;
  return { addresses };
}
