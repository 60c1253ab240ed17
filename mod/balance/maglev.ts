/**
 * Choice by the hash of the request in a Maglev table: more even than a ring, one look-up instead of a search, and
 * few keys but those of a server move when it comes or goes. The same on every node, so that either node sends a
 * key to the same server. It must not know load.
 */
import { mix32 } from "../base/hash.ts";
import { KeyedPolicy, type Layout } from "./keyed.ts";
import { maglevTable } from "./maglev_table.ts";
import type { Policy, PolicyOptions } from "./policy.ts";

/** Positions, a prime; two bytes each. Envoy and the paper: 65537. */
export const TABLE_SIZE = 65_537;

export function maglev(options: PolicyOptions): Policy {
  return new Maglev(options);
}

class Maglev extends KeyedPolicy<Layout> {
  protected override place(weights: Int32Array): Layout {
    return { servers: maglevTable(this.keys, weights, TABLE_SIZE) };
  }

  protected override position({ servers }: Layout, hash: number): number {
    return hash % servers.length;
  }

  /** Another for each key: neighbours in the table are not spread evenly. Any leads everywhere, the size being prime. */
  protected override stride({ servers }: Layout, hash: number): number {
    return 1 + mix32(hash) % (servers.length - 1);
  }
}
