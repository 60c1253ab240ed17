/**
 * Who the client is behind proxies that are believed: the last address of `X-Forwarded-For` (or `Forwarded`, RFC 7239)
 * that is not one of theirs. What stands before it could have been written by anybody. Pure.
 */
import { formatIp, parseIp } from "../base/address.ts";
import { plainAddress } from "./forwarded.ts";

/** What a proxy wrote; null: nothing. */
export interface Told {
  readonly forwardedFor: string | null;
  readonly forwarded: string | null;
}

/** `peer` is who has connected, and is believed; canonical. */
export function realAddress(
  peer: string,
  { forwardedFor, forwarded }: Told,
  trusts: (address: string) => boolean,
): string {
  const hops = forwardedFor !== null ? forwardedFor.split(",") : forwardedNodes(forwarded ?? "");
  let address = peer;
  for (const hop of hops.reverse()) {
    const found = addressOf(hop);
    // What lies behind a hop that hides or garbles its address is nobody's word.
    if (found === null) return address;
    address = found;
    if (!trusts(address)) return address;
  }
  return address;
}

/** The `for` of each element. */
function forwardedNodes(text: string): string[] {
  if (text === "") return [];
  return text.split(",").map((element) =>
    /(?:^|;)\s*for\s*=\s*("[^"]*"|[^;\s]*)/i.exec(element)?.[1]?.replaceAll('"', "") ?? ""
  );
}

/** An address, which some write with a port. */
function addressOf(hop: string): string | null {
  const text = hop.trim();
  const bare = /^\[(.*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  const ip = parseIp(bare);
  return ip === null ? null : plainAddress(formatIp(ip));
}
