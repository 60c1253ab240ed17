/** The policies by their names in the configuration. The only place that knows them all. */
import type { BalanceName } from "../config/snapshot.ts";
import { ewma } from "./ewma.ts";
import { first } from "./first.ts";
import { hash } from "./hash.ts";
import { least } from "./least.ts";
import { maglev } from "./maglev.ts";
import type { PolicyFactory } from "./policy.ts";
import { random } from "./random.ts";
import { rotate } from "./rotate.ts";

export const POLICIES: Readonly<Record<BalanceName, PolicyFactory>> = {
  roundRobin: rotate,
  leastConnections: least,
  random,
  fastest: ewma,
  first,
  hash,
  maglev,
};
