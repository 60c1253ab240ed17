/**
 * What a reload would change, and what that costs: two configurations of a node compared by name. Pure.
 *
 * It says what clients and servers would notice. Values are not shown, as some of them are secrets.
 */
import { formatHostPort } from "../base/address.ts";
import { diffNames, type NamesDiff } from "./diff.ts";
import type { ListenerConfig } from "./listener_schema.ts";
import { type ElectionNow, instanceEffect } from "./plan_election.ts";
import type { Config } from "./schema.ts";

export interface PlannedChange {
  readonly what: "listener" | "pool" | "server" | "instance" | "setting";
  /** Of a server with its pool: `POOL/SERVER`. */
  readonly name: string;
  readonly change: "added" | "removed" | "changed";
  /** What of it is another. */
  readonly fields: readonly string[];
  /** What it means beyond that it is so; empty: nothing. */
  readonly effect: string;
}

/** In the order of the file. `now`: what the node that asks knows of the election. */
export function planChanges(before: Config, after: Config, now: ElectionNow): PlannedChange[] {
  return [
    ...planListeners(before.listeners, after.listeners),
    ...planPools(before.pools, after.pools),
    ...planInstances(before.vrrp.instances, after.vrrp.instances, now),
    ...planSettings(before, after),
  ];
}

function planListeners(before: readonly ListenerConfig[], after: readonly ListenerConfig[]): PlannedChange[] {
  const old = new Map(before.map((one) => [one.name, bindsOf(one)]));
  const now = new Map(after.map((one) => [one.name, bindsOf(one)]));
  return listed("listener", diffNames(before, after), (name, change) => {
    const [closed, bound] = [
      minus(old.get(name) ?? [], now.get(name) ?? []),
      minus(now.get(name) ?? [], old.get(name) ?? []),
    ];
    const words = [
      bound.length === 0 ? "" : `listens on ${bound.join(", ")}`,
      closed.length === 0 ? "" : `listens on ${closed.join(", ")} no more`,
      change === "removed" ? "its connections end after the request under way" : "",
    ];
    return words.filter((word) => word !== "").join("; ");
  });
}

function bindsOf({ bind }: ListenerConfig): string[] {
  return bind.map(({ host, port, lastPort }) =>
    formatHostPort(host, port) + (lastPort === undefined ? "" : `-${lastPort}`)
  );
}

function planPools(before: Config["pools"], after: Config["pools"]): PlannedChange[] {
  const named = (pools: Config["pools"]) => Object.entries(pools).map(([name, pool]) => ({ name, ...pool }));
  const changed = listed("pool", diffNames(named(before), named(after)), () => "");
  const servers = Object.entries(after).flatMap(([pool, { servers }]) => {
    const diff = diffNames(before[pool]?.servers ?? servers, servers);
    return listed(
      "server",
      diff,
      (_, change) => change === "removed" ? "what is under way on it is finished" : "",
    )
      .map((one) => ({ ...one, name: `${pool}/${one.name}`, fields: one.fields.map(asWritten) }));
  });
  // What has changed of a pool's servers is told of each.
  const told = changed.map((one) => ({ ...one, fields: one.fields.filter((field) => field !== "servers") }));
  return [...told.filter(({ change, fields }) => change !== "changed" || fields.length > 0), ...servers];
}

/** The address of a server is kept as what it is looked up by. */
function asWritten(field: string): string {
  return field === "source" ? "address" : field;
}

function planInstances(
  before: Config["vrrp"]["instances"],
  after: Config["vrrp"]["instances"],
  now: ElectionNow,
): PlannedChange[] {
  const named = (all: Config["vrrp"]["instances"], name: string) => all.find((one) => one.name === name);
  return listed(
    "instance",
    diffNames(before, after),
    (name) => instanceEffect(named(before, name), named(after, name), now),
  );
}

/** Settings that are no lists, by what they are about. */
function planSettings(before: Config, after: Config): PlannedChange[] {
  const lists = new Set(["listeners", "pools", "checks", "vrrp", "instances"]);
  const of = (config: Config) =>
    Object.entries({ ...config, ...config.vrrp }).filter(([name]) => !lists.has(name)).map((
      [name, value],
    ) => ({ name, value }));
  return listed(
    "setting",
    diffNames(of(before), of(after)),
    (name) => name === "workers" ? "with the next start only" : "",
  )
    .map((one) => ({ ...one, fields: [] }));
}

function listed(
  what: PlannedChange["what"],
  { added, removed, changed }: NamesDiff,
  effect: (name: string, change: PlannedChange["change"]) => string,
): PlannedChange[] {
  const one = (name: string, change: PlannedChange["change"], fields: readonly string[] = []) => ({
    ...{ what, name, change, fields },
    effect: effect(name, change),
  });
  return [
    ...added.map((name) => one(name, "added")),
    ...removed.map((name) => one(name, "removed")),
    ...changed.map(({ name, fields }) => one(name, "changed", fields)),
  ];
}

function minus(all: readonly string[], without: readonly string[]): string[] {
  return all.filter((one) => !without.includes(one));
}
