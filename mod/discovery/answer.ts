/**
 * What a lookup found, part by part, and the servers that follow from it.
 *
 * A name can take several questions: A and AAAA, or SRV and then both for every target. Each keeps its own last
 * good answer, so that one question without an answer costs no servers. An answer without any address replaces
 * none that had some. Pure: no clock, no sockets.
 */
import { parseIp } from "../base/address.ts";
import type { SrvRecord } from "./dns_message.ts";

/** `host` asks for both kinds of addresses. */
export type NameType = "host" | "A" | "AAAA" | "SRV";

export interface Name {
  /** Lower case. A final dot keeps the search domains away. */
  readonly dns: string;
  readonly type: NameType;
}

/** One server behind a name. */
export interface Member {
  /** Canonical IP address. */
  readonly host: string;
  /** Only SRV records bring a port. */
  readonly port: number | null;
  /** Only SRV records bring a weight: 0 to `MAX_MEMBER_WEIGHT`. */
  readonly weight: number | null;
  /** SRV: not of the most preferred priority. */
  readonly backup: boolean;
}

export type Part<Records> =
  | { readonly kind: "found"; readonly records: readonly Records[]; readonly ttlS: number }
  /** There is nothing by that name. */
  | { readonly kind: "none"; readonly reason: string }
  /** Nobody could say. */
  | { readonly kind: "failed"; readonly reason: string };

export interface Lookup {
  /** Null unless the name is of type SRV. */
  readonly services: Part<SrvRecord> | null;
  /** Addresses by host name and kind. The host name is empty unless the name is of type SRV. */
  readonly addresses: ReadonlyMap<string, Part<string>>;
}

/** SRV weights go up to 65535; larger ones are scaled to this, which is also what configuration allows. */
export const MAX_MEMBER_WEIGHT = 256;

/** Key of a part of `addresses`. */
export function partKey(host: string, type: "A" | "AAAA"): string {
  return `${host} ${type}`;
}

/** The new lookup, with parts that failed taken from the last one, where that had them. */
export function mergeLookups(last: Lookup | null, next: Lookup): Lookup {
  if (last === null) return next;
  if (next.services?.kind === "failed" && last.services?.kind === "found") return last;
  const addresses = new Map(next.addresses);
  for (const [key, part] of next.addresses) {
    const before = last.addresses.get(key);
    if (part.kind === "failed" && before?.kind === "found") addresses.set(key, before);
  }
  return { services: next.services, addresses };
}

/** The servers of a lookup: each once, in an order that depends on nothing but themselves. */
export function membersOf({ services, addresses }: Lookup): readonly Member[] {
  const members = services === null
    ? addressesOf(addresses, "").map((host) => ({ host, port: null, weight: null, backup: false }))
    : services.kind === "found"
    ? serviceMembers(services.records, addresses)
    : [];
  const unique = new Map(members.map((member) => [`${member.host} ${member.port}`, member]));
  return [...unique.values()].sort(byPreference);
}

/** Seconds until the earliest part of it should be looked up again; Infinity when it found nothing. */
export function ttlOf({ services, addresses }: Lookup): number {
  let ttlS = services?.kind === "found" ? services.ttlS : Infinity;
  for (const part of addresses.values()) if (part.kind === "found") ttlS = Math.min(ttlS, part.ttlS);
  return ttlS;
}

/** Why something is missing: what failed before what does not exist; null when nothing failed. */
export function failureOf({ services, addresses }: Lookup): string | null {
  const parts = [...(services === null ? [] : [services]), ...addresses.values()];
  for (const part of parts) if (part.kind === "failed") return part.reason;
  return null;
}

/** Why there are no servers at all. */
export function absenceOf(lookup: Lookup): string {
  const { services, addresses } = lookup;
  const failure = failureOf(lookup);
  if (failure !== null) return failure;
  for (const part of [...(services === null ? [] : [services]), ...addresses.values()]) {
    if (part.kind === "none") return part.reason;
  }
  return "no addresses";
}

export function sameMembers(a: readonly Member[], b: readonly Member[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function addressesOf(addresses: Lookup["addresses"], host: string): readonly string[] {
  return (["A", "AAAA"] as const).flatMap((type) => {
    const part = addresses.get(partKey(host, type));
    return part?.kind === "found" ? part.records : [];
  });
}

function serviceMembers(records: readonly SrvRecord[], addresses: Lookup["addresses"]): Member[] {
  const best = Math.min(...records.map((record) => record.priority));
  const heaviest = Math.max(...records.map((record) => record.weight));
  const scale = heaviest > MAX_MEMBER_WEIGHT ? MAX_MEMBER_WEIGHT / heaviest : 1;
  // RFC 2782: where all weights are 0 there is nothing to choose by.
  const weigh = (weight: number) =>
    heaviest === 0 ? 1 : weight === 0 ? 0 : Math.max(1, Math.round(weight * scale));
  // The best come last, so that of two records for one address the better one counts, whatever their order.
  const rising = [...records].sort((a, b) => b.priority - a.priority || a.weight - b.weight);
  return rising.flatMap(({ priority, weight, port, target }) =>
    addressesOf(addresses, target).map((host) => ({
      host,
      port,
      weight: weigh(weight),
      backup: priority > best,
    }))
  );
}

/** Preferred ones first, so that these stay when there are too many; then by address and port. */
function byPreference(a: Member, b: Member): number {
  if (a.backup !== b.backup) return a.backup ? 1 : -1;
  return compareHosts(a.host, b.host) || (a.port ?? 0) - (b.port ?? 0);
}

function compareHosts(a: string, b: string): number {
  const one = parseIp(a) ?? new Uint8Array();
  const other = parseIp(b) ?? new Uint8Array();
  if (one.length !== other.length) return one.length - other.length;
  for (let at = 0; at < one.length; at++) {
    if (one[at] !== other[at]) return one[at]! - other[at]!;
  }
  return 0;
}
