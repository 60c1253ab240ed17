/**
 * Idle connections to servers, kept for the next request: per server slot, the most recently used first.
 * Pure; the connections themselves notice when the server closes them, and then call `remove`.
 */

/** Idle connections kept per server and worker. nginx: `keepalive 32`, HAProxy: no limit. */
export const MOST_IDLE = 1024;

export class IdleConnections<T> {
  /** Slots are small numbers, so an array is the quickest map. */
  readonly #bySlot: (T[] | undefined)[] = [];
  /** All of them. */
  size = 0;

  /** False: enough are kept already, close it. */
  put(slot: number, connection: T): boolean {
    const stack = this.#bySlot[slot] ??= [];
    if (stack.length >= MOST_IDLE) return false;
    stack.push(connection);
    this.size++;
    return true;
  }

  take(slot: number): T | null {
    const connection = this.#bySlot[slot]?.pop();
    if (connection === undefined) return null;
    this.size--;
    return connection;
  }

  remove(slot: number, connection: T): void {
    const stack = this.#bySlot[slot];
    const index = stack?.indexOf(connection) ?? -1;
    if (index < 0) return;
    stack!.splice(index, 1);
    this.size--;
  }

  /** Empties one slot (the server is gone from the configuration) or all, and returns what was there. */
  clear(slot?: number): T[] {
    const slots = slot === undefined ? this.slots() : [slot];
    const all = slots.flatMap((each) => this.#bySlot[each] ?? []);
    for (const each of slots) this.#bySlot[each] = undefined;
    this.size -= all.length;
    return all;
  }

  slots(): number[] {
    return [...this.#bySlot.keys()].filter((slot) => this.#bySlot[slot] !== undefined);
  }
}
