/**
 * What every node of a pair may be told at once. What one of them must go on without is not among it: one node has the
 * addresses, and one certificate is for all. Pure.
 */
import type { PeerRequest } from "../../mod/runtime/peer_request.ts";

/** Operations that change something, by their path without a query. */
const FOR_EACH =
  /^\/(?:pools\/[^/]+\/(?:servers|sessions)(?:\/[^/]+)?|changes|log|cache\/purge|maintenance|reload)$/;

const FOR_ONE: readonly (readonly [path: RegExp, reason: string])[] = [
  [/^\/instances\//, "an instance has one owner: ask the node that is to hand its addresses over"],
  [/^\/certificates\//, "nodes that can ask each other share their certificates: ask one"],
];
const KEPT = "both in maintenance would leave the addresses to nobody: say it to one node";
const OTHERWISE =
  "node=both is for what can be read, servers, sessions, the cache, the log, reloads and the end of maintenance";

/** Why every node at once cannot be asked for this; null: it can. */
export function refusalForBoth({ method, path, body }: PeerRequest): string | null {
  if (method === "GET") return null;
  const plain = path.replace(/\?.*/, "");
  const [, reason] = FOR_ONE.find(([one]) => one.test(plain)) ?? [];
  if (reason !== undefined) return reason;
  if (!FOR_EACH.test(plain)) return OTHERWISE;
  return plain === "/maintenance" && isOn(body) ? KEPT : null;
}

/** True: one node after the other, and none after one that refuses, so that a bad file stays with one. */
export function oneByOne({ path }: Pick<PeerRequest, "path">): boolean {
  return path === "/reload";
}

/** What is no JSON the nodes refuse themselves. */
function isOn(body: string | null): boolean {
  try {
    return (JSON.parse(body ?? "") as { readonly on?: unknown } | null)?.on === true;
  } catch {
    return false;
  }
}
