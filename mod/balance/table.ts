/** The policies by their names in the configuration. The only place that knows them all. */
import type { BalanceName } from "../config/snapshot.ts";
import type { PolicyFactory } from "./policy.ts";
import { rotate } from "./rotate.ts";

export const POLICIES: Readonly<Record<BalanceName, PolicyFactory>> = {
  roundRobin: rotate,
  leastConnections: rotate,
  random: rotate,
  fastest: rotate,
  first: rotate,
  hash: rotate,
  maglev: rotate,
};
