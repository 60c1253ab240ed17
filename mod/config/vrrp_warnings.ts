/**
 * Warnings about an instance of the election that can be run and will not do what it is for: an address that can never
 * move, weights that change nothing, nodes that do not find each other, an address where nobody answers. Pure.
 *
 * The file often tells of all nodes, and then they are compared; what stands in another machine's file is not known.
 */
import { isUnspecifiedIp, parseIp } from "../base/address.ts";
import { priorityWarnings } from "../../vrrp/priorities.ts";
import type { Path } from "./problem.ts";
import type { RuleContext } from "./rules.ts";
import type { TrackConfig } from "./track_schema.ts";
import type { VrrpInstanceConfig } from "./vrrp_schema.ts";

export function warnOfFailover(context: RuleContext, one: VrrpInstanceConfig, path: Path): void {
  warnOfListeners(context, one, path);
  for (const [at, track] of one.track.entries()) warnOfTrack(context, one, track, [...path, "track", at]);
  if (!context.whole(path)) return;
  warnOfIds(context, one, path);
  warnOfPriorities(context, one, path);
}

export function familyOf({ addresses }: VrrpInstanceConfig): 4 | 6 {
  return addresses[0]!.address.includes(":") ? 6 : 4;
}

/** Whoever has the address, nothing would answer there. */
function warnOfListeners(context: RuleContext, one: VrrpInstanceConfig, path: Path): void {
  const { listeners } = context.config;
  if (listeners.length === 0 || !context.whole(["listeners"])) return;
  const answers = listeners.some(({ bind }) =>
    bind.some(({ host }) =>
      isUnspecifiedIp(parseIp(host)!)
        ? host === "::" || familyOf(one) === 4
        : [...one.addresses, ...one.unadvertised].some(({ address }) => address === host)
    )
  );
  if (!answers) context.warn([...path, "addresses"], "no listener answers there: each is bound elsewhere");
}

function warnOfTrack(
  context: RuleContext,
  one: VrrpInstanceConfig,
  track: TrackConfig,
  path: Path,
): void {
  if (track.weight === 0) {
    context.warn([...path, "weight"], "0 changes nothing: leave it out to hand over when this is bad");
  }
  if (track.kind === "interface" && track.name === one.interface) {
    context.warn(
      [...path, "interface"],
      "is the instance's own, whose link is watched without being tracked",
    );
  }
}

/** Nodes hear each other by the id; two virtual routers of one id on one LAN hear the wrong ones. */
function warnOfIds(context: RuleContext, one: VrrpInstanceConfig, path: Path): void {
  const { routers, config: { vrrp: { instances } } } = context;
  const own = routers.filter(({ instance, routerId }) => instance === one.name && routerId !== null);
  if (new Set(own.map(({ routerId }) => routerId)).size > 1) {
    const all = own.map(({ node, routerId }) => `${routerId} on ${node}`).join(", ");
    context.warn(
      [...path, "routerId"],
      `must be the same on all nodes, and is ${all}: each takes the address`,
    );
  }
  for (const { node, instance, device, routerId, family } of routers) {
    const same = device === one.interface && routerId === one.routerId && family === familyOf(one);
    // On one and the same node it is an error.
    if (!same || instances.some(({ name }) => name === instance)) continue;
    context.warn(
      [...path, "routerId"],
      `is the id of instance ${instance} on ${node} too, on the interface of the same name`,
    );
  }
}

function warnOfPriorities(context: RuleContext, one: VrrpInstanceConfig, path: Path): void {
  const own = context.routers.filter(({ instance }) => instance === one.name);
  const priorities = new Map(own.map(({ node, priority }) => [node, priority]));
  // Priorities that stand in a file for each node are not known here.
  if (one.owners === undefined && priorities.size < 2) return;
  const found = priorityWarnings({
    name: one.name,
    priorities,
    preempt: one.preempt,
    // How often a number counts its weight is not known.
    weights: one.track.some(({ kind }) => kind === "number")
      ? []
      : one.track.flatMap((track) =>
        track.weight === null ? [] : [{ what: nameOf(track), weight: track.weight }]
      ),
    pools: one.track.flatMap((track) => {
      if (track.kind !== "pool") return [];
      const servers = context.config.pools[track.name]?.servers ?? [];
      // A name may stand for any number of addresses.
      const known = servers.every(({ source }) =>
        source.kind === "address" && /^[0-9.:a-f]+$/.test(source.host)
      );
      return [{ pool: track.name, minHealthy: track.minHealthy, servers: known ? servers.length : null }];
    }),
  });
  for (const { message } of found) context.warn(path, message);
}

/** What is tracked, for a person. */
function nameOf(track: TrackConfig): string {
  return track.kind === "exec" ? track.command[0]! : track.name;
}
