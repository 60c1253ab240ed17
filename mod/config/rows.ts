/**
 * Hands out rows of shared memory by name, so that a listener, a pool or a server keeps its row across reloads.
 *
 * A row whose name is gone is used again only when no fresh one is left, the one unused for longest first: requests
 * that are still under way on a removed server go on counting in its old row. Pure.
 */

export class Rows {
  readonly #rows = new Map<string, number>();
  /** Names of no use any more with their rows, in the order in which they went. */
  readonly #gone = new Map<string, number>();
  #fresh = 0;

  /** `what` names the rows in messages: "servers". */
  constructor(readonly capacity: number, readonly what: string) {}

  /** The row of a name. Throws when more names are in use than there are rows. */
  row(name: string): number {
    const row = this.find(name);
    // Names that are about to go still hold their rows: what is under way on them goes on counting there.
    if (row !== null) return row;
    throw new Error(
      `Cannot use this configuration as there is room for ${this.capacity} ${this.what}, those it replaces included`,
    );
  }

  /** The row of a name; null: more names are in use than there are rows. */
  find(name: string): number | null {
    const row = this.#rows.get(name) ?? this.#take(name);
    if (row !== null) this.#rows.set(name, row);
    return row;
  }

  /** Sets aside the rows of all names but these. */
  keep(names: ReadonlySet<string>): void {
    for (const [name, row] of this.#rows) {
      if (names.has(name)) continue;
      this.#rows.delete(name);
      this.#gone.set(name, row);
    }
  }

  #take(name: string): number | null {
    const own = this.#gone.get(name);
    if (own !== undefined) {
      this.#gone.delete(name);
      return own;
    }
    if (this.#fresh < this.capacity) return this.#fresh++;
    const oldest = this.#gone.entries().next().value;
    if (oldest === undefined) return null;
    this.#gone.delete(oldest[0]);
    return oldest[1];
  }
}

/** The rows of everything that has one. */
export class RowAllocator {
  readonly listeners: Rows;
  readonly pools: Rows;
  readonly servers: Rows;
  /** Routes beyond these share the row behind the last. */
  readonly routes: Rows;

  constructor(capacity: { listeners: number; pools: number; servers: number; routes?: number }) {
    this.listeners = new Rows(capacity.listeners, "listeners");
    this.pools = new Rows(capacity.pools, "pools");
    this.servers = new Rows(capacity.servers, "servers");
    this.routes = new Rows(capacity.routes ?? 0, "routes");
  }
  /** Where a route counts, among the rows of pools and routes. */
  routeRow(label: string): number {
    return this.pools.capacity + (this.routes.find(label) ?? this.routes.capacity);
  }
}
