/**
 * What every node of a pair may be told at once. What one of them must go on without is not among it: one node has the
 * addresses, and one certificate is for all. Pure.
 */
import { isReload, type PeerRequest, placeOf } from "../../mod/runtime/peer_request.ts";

/** Operations that change something, by where they lead. */
const FOR_EACH =
  /^\/api\/(?:pools\/[^/]+\/(?:servers|sessions)(?:\/[^/]+)?|changes|log|cache\/purge|maintenance|reload)$/;

const FOR_ONE: readonly (readonly [path: RegExp, reason: string])[] = [
  [/^\/api\/instances\//, "an instance has one owner: ask the node that is to hand its addresses over"],
  [/^\/api\/certificates\//, "nodes that can ask each other share their certificates: ask one"],
];
const KEPT = "both in maintenance would leave the addresses to nobody: say it to one node";
const OTHERWISE =
  "node=both is for what can be read, servers, sessions, the cache, the log, reloads and the end of maintenance";

/** Why every node at once cannot be asked for this; null: it can. */
export function refusalForBoth(request: PeerRequest): string | null {
  if (request.method === "GET") return null;
  const place = placeOf(request);
  const [, reason] = FOR_ONE.find(([one]) => one.test(place)) ?? [];
  if (reason !== undefined) return reason;
  if (!FOR_EACH.test(place)) return OTHERWISE;
  return place === "/api/maintenance" && isOn(request.body) ? KEPT : null;
}

/** True: one node after the other, and none after one that refuses, so that a bad file stays with one. */
export function oneByOne(request: Pick<PeerRequest, "path">): boolean {
  return isReload(request);
}

/** What is no JSON the nodes refuse themselves. */
function isOn(body: string | null): boolean {
  try {
    return (JSON.parse(body ?? "") as { readonly on?: unknown } | null)?.on === true;
  } catch {
    return false;
  }
}
