/**
 * The sync groups of this node: asks them after every input of a member, and carries out what they answer. Pure.
 *
 * What a group decides is in `vrrp/sync_group.ts`; here is only that it is asked in time, and not while it is answering.
 */
import type { Input } from "../../vrrp/events.ts";
import { type SyncFacts, SyncGroup } from "../../vrrp/sync_group.ts";
import type { TrackConfig } from "../config/track_schema.ts";
import { type InstanceSettings, sameSettings } from "./election.ts";

export interface Grouped {
  readonly settings: { readonly name: string; readonly syncGroup: string | null };
  sync(): SyncFacts;
  input(input: Input): void;
}

/** It is at rest long before; what is left then is settled at the next input. */
const MAX_ROUNDS = 32;

export class SyncGroups {
  readonly #groups = new Map<string, SyncGroup>();
  readonly #answering = new Set<string>();

  /** To be called after every input of a member of the group. `all` are the virtual routers of this node. */
  settle(name: string, all: readonly Grouped[]): void {
    if (this.#answering.has(name)) return;
    this.#answering.add(name);
    const group = this.#groups.get(name) ?? new SyncGroup();
    this.#groups.set(name, group);
    const members = all.filter(({ settings }) => settings.syncGroup === name);
    const ask = () => group.settle(members.map((one) => ({ name: one.settings.name, ...one.sync() })));
    try {
      for (let round = 0; round < MAX_ROUNDS; round++) {
        const steps = ask();
        if (steps.length === 0) break;
        for (const { name, input } of steps) {
          members.find(({ settings }) => settings.name === name)!.input(input);
        }
      }
    } finally {
      this.#answering.delete(name);
      if (members.length === 0) this.#groups.delete(name);
    }
  }
}

/** What counts for the health of an instance: what it tracks, and what the others of its sync group do. */
export function tracksFor(
  { runner, track }: InstanceSettings,
  all: readonly InstanceSettings[],
): readonly TrackConfig[] {
  if (runner.syncGroup === null) return track;
  const union: TrackConfig[] = [];
  for (const other of all) {
    if (other.runner.syncGroup !== runner.syncGroup) continue;
    for (const one of other.track) if (!union.some((known) => sameSettings(known, one))) union.push(one);
  }
  return union;
}
