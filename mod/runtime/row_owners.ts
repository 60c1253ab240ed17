/**
 * Who counts in which row of shared memory, so that a row that goes to another starts from nothing. Pure.
 */
import type { OpenMemory } from "../base/shared_memory.ts";
import type { Snapshot } from "../config/snapshot.ts";

/** Slots and rows, by what counts in them. */
export interface ClaimedRows {
  readonly servers: readonly number[];
  readonly listeners: readonly number[];
  /** Of routes and pools. */
  readonly traffic: readonly number[];
}

/** Begins anew in rows that went to another. */
export function clearRows(
  { counters, breakers }: Pick<OpenMemory, "counters" | "breakers">,
  { servers, listeners, traffic }: ClaimedRows,
): void {
  for (const slot of servers) counters.clearServer(slot);
  for (const row of listeners) counters.clearListener(row);
  for (const row of traffic) {
    counters.clearTraffic(row);
    // Those of routes have no breaker.
    breakers.clear(row);
  }
}

export class RowOwners {
  #servers = new Map<number, string>();
  #listeners = new Map<number, string>();
  #traffic = new Map<number, string>();

  /** Notes the owners in a snapshot. The answer is the rows that had another one. */
  claim({ pools, listeners }: Snapshot): ClaimedRows {
    const servers = pools.flatMap((pool) =>
      pool.servers.filter(({ host, port, slot }) =>
        // Not by name, which tells the address as soon as a name has several.
        changed(this.#servers, slot, JSON.stringify([pool.name, host, port]))
      )
    );
    const traffic = [...ownersOfTraffic({ pools, listeners })];
    return {
      servers: servers.map(({ slot }) => slot),
      listeners: listeners.filter(({ name, row }) => changed(this.#listeners, row, name)).map(({ row }) =>
        row
      ),
      traffic: traffic.filter(([row, owner]) => changed(this.#traffic, row, owner)).map(([row]) => row),
    };
  }
}

function ownersOfTraffic({ pools, listeners }: Pick<Snapshot, "pools" | "listeners">): Map<number, string> {
  const owners = new Map(pools.map(({ name, row }) => [row, `pool ${name}`]));
  for (const { name, routes } of listeners) {
    for (const { row, label } of routes) {
      // The last row is that of all for which there was none.
      if (row !== undefined) owners.set(row, owners.has(row) ? "others" : `route ${name} ${label}`);
    }
  }
  return owners;
}

function changed(owners: Map<number, string>, row: number, owner: string): boolean {
  const before = owners.get(row);
  owners.set(row, owner);
  return before !== undefined && before !== owner;
}
