/**
 * Live changes: what an operator has set at a running node, laid over the file by the names of pools and servers.
 *
 * They are applied to the tree, after overlays and environment, so that every rule of the file holds for them too. What
 * the file says by now, and what it has no place for any more, is no change and falls away. Pure.
 */
import { z } from "zod";
import { formatHostPort, parseHostPort } from "../base/address.ts";
import { name } from "./fields.ts";
import { MAX_WEIGHT } from "./pool_schema.ts";
import { childOf, type ListNode, type MapNode, nodeAt, type TreeNode } from "./tree.ts";

/** Servers with a change at a time; a reload or `reset` makes room. */
export const MAX_LIVE_SERVERS = 4096;

export const LOG_LEVELS = ["debug", "info", "warning", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export const ADMIN_STATES = ["ready", "drain", "maint"] as const;
export const weightSchema = z.int().min(0).max(MAX_WEIGHT);

/** A server's name, or with `#` behind it that of one of its addresses. */
export const serverName = z.string().min(1).max(512);
export const poolName = name();

/** A server that the file does not have: its settings as a file would have them. */
export const ADDED_SERVER = z.strictObject({
  address: z.string().min(1).max(300).describe("`host:port`, as in the file."),
  maxConnections: z.int().min(0).optional().describe("Most requests or connections at a time; 0: no limit."),
  backup: z.boolean().optional().describe("Used only when no other server of the pool is available."),
  slowStart: z.string().max(20).optional().describe("Time in which it rises to its full weight, as `30s`."),
});

/** Who made a change, and when (milliseconds since 1970). */
const BY = { at: z.number(), by: z.string().max(200) };

const LIVE_SERVER = z.strictObject({
  ...BY,
  added: ADDED_SERVER.optional(),
  removed: z.literal(true).optional(),
  state: z.enum(ADMIN_STATES).optional(),
  weight: weightSchema.optional(),
});

export const LIVE_CHANGES = z.strictObject({
  /** By pool and server. */
  pools: z.record(poolName, z.record(serverName, LIVE_SERVER)),
  logLevel: z.strictObject({ ...BY, level: z.enum(LOG_LEVELS) }).optional(),
});

export type LiveServer = z.infer<typeof LIVE_SERVER>;
export type LiveChanges = z.infer<typeof LIVE_CHANGES>;

export const NO_CHANGES: LiveChanges = { pools: {} };

/** One setting that is not as the file says. */
export interface Drift {
  /** `POOL/SERVER`, or `log`. */
  readonly of: string;
  readonly setting: "state" | "weight" | "added" | "removed" | "level";
  readonly live: string | number | boolean;
  /** What the file says; null: nothing. */
  readonly file: string | number | null;
  readonly at: number;
  readonly by: string;
}

export interface AppliedLive {
  readonly tree: MapNode;
  /** What is still a change. */
  readonly live: LiveChanges;
  readonly drift: readonly Drift[];
}

/** Lays changes over a file's tree, whose variables have been filled in. */
export function applyLive(tree: MapNode, live: LiveChanges): AppliedLive {
  const drift: Drift[] = [];
  const kept: LiveChanges = { pools: {} };
  let result = tree;
  for (const [pool, changes] of Object.entries(live.pools)) {
    const servers = nodeAt(tree, ["pools", pool, "servers"]);
    if (servers?.kind !== "list") continue;
    const laid = layOver(servers, pool, changes, drift);
    if (Object.keys(laid.kept).length === 0) continue;
    kept.pools[pool] = laid.kept;
    result = set(result, ["pools", pool, "servers"], laid.servers);
  }
  const level = live.logLevel;
  const file = textAt(childOf(tree, "log"), "level") ?? "info";
  if (level !== undefined && level.level !== file) {
    kept.logLevel = level;
    result = set(result, ["log", "level"], scalar(level.level, tree.source));
    drift.push({ of: "log", setting: "level", live: level.level, file, at: level.at, by: level.by });
  }
  return { tree: result, live: kept, drift };
}

export function isEmpty({ pools, logLevel }: LiveChanges): boolean {
  return logLevel === undefined && Object.values(pools).every((servers) => Object.keys(servers).length === 0);
}

/** A server that was to be added and was not, as the file has one of its name or address; null: there is none. */
export function lostServer(wanted: LiveChanges, applied: LiveChanges): string | null {
  for (const [pool, servers] of Object.entries(wanted.pools)) {
    for (const [server, { added }] of Object.entries(servers)) {
      if (added !== undefined && applied.pools[pool]?.[server]?.added === undefined) {
        return `${pool}/${server}`;
      }
    }
  }
  return null;
}

/** An address of a host name that is to be changed and is none; one that was known when it was changed may come back. */
export function strangeAddress(
  live: LiveChanges,
  before: LiveChanges,
  pools: readonly { readonly name: string; readonly servers: readonly { readonly name: string }[] }[],
): string | null {
  for (const [pool, changes] of Object.entries(live.pools)) {
    const servers = pools.find(({ name }) => name === pool)?.servers ?? [];
    for (const server of Object.keys(changes)) {
      const known = !server.includes("#") || before.pools[pool]?.[server] !== undefined ||
        servers.some(({ name }) => name === server);
      if (!known) return server;
    }
  }
  return null;
}

/** Servers with a change. */
export function countLive({ pools }: LiveChanges): number {
  return Object.values(pools).reduce((sum, servers) => sum + Object.keys(servers).length, 0);
}

/** The server of the file that a name means: before `#` stands whose address it is. */
export function configuredName(server: string): string {
  return server.split("#", 1)[0]!;
}

/** What a server of a file is called, as its schema has it; null: it is none. */
export function serverNameOf(item: TreeNode): string | null {
  return textAt(item, "name") ?? addressOf(item) ?? textAt(item, "dns");
}

function canonical(address: string): string {
  const parsed = parseHostPort(address);
  return parsed === null ? address : formatHostPort(parsed.host, parsed.port);
}

function layOver(
  list: ListNode,
  pool: string,
  changes: Readonly<Record<string, LiveServer>>,
  drift: Drift[],
): { servers: ListNode; kept: Record<string, LiveServer> } {
  const kept: Record<string, LiveServer> = {};
  const names = list.items.map(serverNameOf);
  const items: (TreeNode | null)[] = [...list.items];
  const isThere = (address: string) => items.some((item) => item !== null && addressOf(item) === address);
  // What is removed makes room for what is added.
  const isAdded = ([, { added }]: readonly [string, LiveServer]) => Number(added !== undefined);
  for (const [server, change] of Object.entries(changes).sort((a, b) => isAdded(a) - isAdded(b))) {
    const { at, by, added } = change;
    const tell = (setting: Drift["setting"], live: Drift["live"], file: Drift["file"]) =>
      drift.push({ of: `${pool}/${server}`, setting, live, file, at, by });
    const index = names.indexOf(server);
    const base = index >= 0 ? index : names.indexOf(configuredName(server));
    if (change.removed === true) {
      if (index < 0) continue;
      items[index] = null;
      kept[server] = change;
      tell("removed", true, null);
    } else if (base >= 0) {
      const settings = differences(list.items[base]!, change);
      if (settings.length === 0) continue;
      kept[server] = { at, by, ...Object.fromEntries(settings.map(({ setting, live }) => [setting, live])) };
      for (const { setting, live, file } of settings) tell(setting, live, file);
      // Of one address among several the snapshot knows.
      if (index >= 0) items[index] = withSettings(spelledOut(items[index]!), settings);
    } else if (added !== undefined && !isThere(canonical(added.address))) {
      kept[server] = change;
      items.push(addedItem(server, change, list));
      tell("added", added.address, null);
    }
  }
  return { servers: { ...list, items: items.filter((item) => item !== null) }, kept };
}

interface Difference {
  readonly setting: "state" | "weight";
  readonly live: string | number;
  readonly file: string | number;
}

function differences(item: TreeNode, { state, weight }: LiveServer): Difference[] {
  const file = { state: textAt(item, "state") ?? "ready", weight: Number(textAt(item, "weight") ?? 1) };
  const found: Difference[] = [];
  if (state !== undefined && state !== file.state) {
    found.push({ setting: "state", live: state, file: file.state });
  }
  if (weight !== undefined && weight !== file.weight) {
    found.push({ setting: "weight", live: weight, file: file.weight });
  }
  return found;
}

function addedItem(name: string, { added, state, weight }: LiveServer, { source }: ListNode): MapNode {
  const settings = Object.entries({ name, ...added, state, weight }).filter(([, value]) =>
    value !== undefined
  );
  // A problem with it is told at its name, which the file does not have.
  const own = [...source, name];
  return {
    kind: "map",
    source: own,
    entries: new Map(settings.map(([key, value]) => [key, scalar(value, own)])),
  };
}

function withSettings(item: MapNode, settings: readonly Difference[]): MapNode {
  const entries = new Map(item.entries);
  for (const { setting, live } of settings) entries.set(setting, scalar(live, item.source));
  return { ...item, entries };
}

/** A server in its short form in the long one. */
function spelledOut(item: TreeNode): MapNode {
  return item.kind === "map"
    ? item
    : { kind: "map", source: item.source, entries: new Map([["address", item]]) };
}

function addressOf(item: TreeNode): string | null {
  const text = item.kind === "scalar" && typeof item.value === "string"
    ? item.value
    : textAt(item, "address");
  return text === null ? null : canonical(text);
}

function textAt(node: TreeNode | undefined, key: string): string | null {
  const child = node === undefined ? undefined : childOf(node, key);
  return child?.kind === "scalar" && ["string", "number"].includes(typeof child.value)
    ? String(child.value)
    : null;
}

function scalar(value: unknown, source: TreeNode["source"]): TreeNode {
  return { kind: "scalar", source, value };
}

/** The tree with another node at a path; maps that are missing are made. */
function set(map: MapNode, [key, ...rest]: readonly string[], node: TreeNode): MapNode {
  const below = map.entries.get(key!);
  const inner: MapNode = below?.kind === "map"
    ? below
    : { kind: "map", source: [...map.source, key!], entries: new Map() };
  const child = rest.length === 0 ? node : set(inner, rest, node);
  return { ...map, entries: new Map([...map.entries, [key!, child]]) };
}
