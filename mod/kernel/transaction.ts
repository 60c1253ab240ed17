/**
 * From a plan, and how servers are used, to one transaction for `nft -f -`. Pure.
 */
import { dsrTable } from "./dsr.ts";
import { directServers, EMPTY_LAN, type Lan } from "./lan.ts";
import { natTable } from "./nat.ts";
import type { KernelPlan, Shares } from "./plan.ts";
import {
  NO_OBJECTS,
  type Objects,
  objectsOf,
  removeTable,
  staleText,
  type Table,
  tableText,
} from "./table.ts";

/** Every family of table that there may be. */
export const FAMILIES = ["inet", "netdev"] as const;

/** What our tables hold in the kernel, by family. */
export type There = ReadonlyMap<Table["family"], Objects>;

export interface Transaction {
  /** What is to be in force: equal when nothing differs. */
  readonly wanted: string;
  /** Changes what is there into it. */
  readonly text: string;
  /** The same, whatever is there: what was counted and remembered is lost. */
  anew(): string;
  /** What there will be. */
  readonly after: There;
}

/** Null: what has to be known first is not. */
export function transaction(
  plan: KernelPlan,
  shares: Shares,
  lan: Lan | null,
  there: There,
): Transaction | null {
  if (plan.services.some(({ pool, mode }) => !shares.has(pool) || (mode === "dsr" && lan === null))) {
    return null;
  }
  const tables = [natTable(plan, shares), dsrTable(plan, shares, lan ?? EMPTY_LAN)].filter((one) =>
    one !== null
  );
  const gone = [...there.keys()].filter((family) => !tables.some((table) => table.family === family));
  const removals = gone.map((family) => removeTable({ family, name: plan.table })).join("");
  const wanted = tables.map(tableText).join("");
  const stale = tables.map((table) => staleText(table, there.get(table.family) ?? NO_OBJECTS)).join("");
  return {
    wanted,
    text: removals + wanted + stale,
    anew: () => removals + tables.map(removeTable).join("") + wanted,
    after: new Map(tables.map((table) => [table.family, objectsOf(table)])),
  };
}

/** Why packets for servers that are to get some cannot be sent on; empty: they can. */
export function unreachable(plan: KernelPlan, shares: Shares, lan: Lan): string {
  const devices = new Set(directServers(plan).map(({ device }) => device));
  const missing = [...devices].filter((device) => !lan.devices.has(device));
  const silent = plan.services.filter(({ mode }) => mode === "dsr").flatMap(({ pool, servers }) =>
    servers.filter(({ name, host }) =>
      (shares.get(pool)?.get(name)?.share ?? 0) > 0 && !lan.servers.has(host)
    )
  );
  return [
    ...missing.map((device) => `there is no interface ${device} with a MAC`),
    ...new Set(silent.map(({ host }) => `${host} does not tell its MAC`)),
  ].join("; ");
}
