/** Where the processes of functions serve, as the keeper tells it: the addresses of servers of their pools. Pure. */
import { functionPool, isFunctionPool } from "../config/function_pool.ts";
import type { Address } from "./names.ts";

export interface FunctionPlace {
  readonly name: string;
  /** Of the process, from 0. */
  readonly index: number;
  readonly port: number;
}

export class FunctionPlaces {
  #places = new Map<string, Address>();

  /** Replaces all of them. False: they were these already. */
  set(places: readonly FunctionPlace[]): boolean {
    const before = this.#places;
    this.#places = new Map(
      places.map(({ name, index, port }) => [keyOf(functionPool(name), index), { host: "127.0.0.1", port }]),
    );
    return before.size !== this.#places.size ||
      [...this.#places].some(([key, { port }]) => before.get(key)?.port !== port);
  }

  /** The address of a server of a function's pool, if it is there now; null: the pool is no function's. */
  of(pool: string, index: number): readonly Address[] | null {
    if (!isFunctionPool(pool)) return null;
    const address = this.#places.get(keyOf(pool, index));
    return address === undefined ? [] : [address];
  }
}

function keyOf(pool: string, index: number): string {
  return `${index} ${pool}`;
}
