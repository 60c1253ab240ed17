/**
 * Who counts in which row of shared memory, so that a row that goes to another starts from nothing. Pure.
 */
import type { Snapshot } from "../config/snapshot.ts";

export class RowOwners {
  #servers = new Map<number, string>();
  #listeners = new Map<number, string>();

  /** Notes the owners in a snapshot. The answer is the rows that had another one. */
  claim({ pools, listeners }: Snapshot): { servers: number[]; listeners: number[] } {
    const servers = pools.flatMap((pool) =>
      pool.servers.filter(({ host, port, slot }) =>
        // Not by name, which tells the address as soon as a name has several.
        changed(this.#servers, slot, JSON.stringify([pool.name, host, port]))
      )
    );
    return {
      servers: servers.map(({ slot }) => slot),
      listeners: listeners.filter(({ name, row }) => changed(this.#listeners, row, name)).map(({ row }) =>
        row
      ),
    };
  }
}

function changed(owners: Map<number, string>, row: number, owner: string): boolean {
  const before = owners.get(row);
  owners.set(row, owner);
  return before !== undefined && before !== owner;
}
