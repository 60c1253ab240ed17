/** The hosts file (hosts(5)) and the names that mean this machine (RFC 6761 section 6.3). Knows no files. */
import { formatIp, parseIp } from "../base/address.ts";

/** Canonical addresses of a name in the text of a hosts file, in its order; empty when it has none. */
export function hostsAddresses(text: string, name: string): string[] {
  const wanted = name.toLowerCase().replace(/\.$/, "");
  const addresses = new Set<string>();
  for (const line of text.split("\n")) {
    const [address, ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    if (address === undefined || !names.some((one) => one.toLowerCase() === wanted)) continue;
    // An address with a zone id is passed over: it could not be written into a snapshot.
    const ip = parseIp(address);
    if (ip !== null) addresses.add(formatIp(ip));
  }
  if (addresses.size === 0 && /(^|\.)localhost$/.test(wanted)) return ["127.0.0.1", "::1"];
  return [...addresses];
}
