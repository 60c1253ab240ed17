/**
 * What `ip` is told and what it answers: lines for `ip -batch -`, and the addresses in its JSON. Pure.
 *
 * The way without FFI; `netlink.ts` does the same without a process.
 */
import { formatIp, parseIp } from "../mod/base/address.ts";
import type { AddressSetting, InterfaceAddress } from "./netlink.ts";
import type { Vip } from "./vip.ts";

const FOREVER = 0xffffffff;

/** Adds the address or renews its lease. */
export function setLine(device: string, setting: AddressSetting): string {
  const { address, prefix, leaseSeconds, noPrefixRoute } = setting;
  const ipv6 = address.length === 16;
  const valid = leaseSeconds ?? "forever";
  const words = ["address", "replace", `${formatIp(address)}/${prefix}`, "dev", deviceName(device)];
  words.push("valid_lft", `${valid}`, "preferred_lft", ipv6 && leaseSeconds !== null ? "0" : `${valid}`);
  if (ipv6) words.push("nodad");
  if (noPrefixRoute) words.push("noprefixroute");
  return words.join(" ");
}

export function deleteLine(device: string, { address, prefix }: Vip): string {
  return `address del ${formatIp(address)}/${prefix} dev ${deviceName(device)}`;
}

export function listArguments(device: string): string[] {
  return ["-json", "address", "show", "dev", deviceName(device)];
}

/** The addresses in the answer to `listArguments`; null when it is not what `ip` prints. */
export function parseAddressList(text: string): InterfaceAddress[] | null {
  let links: unknown;
  try {
    links = JSON.parse(text);
  } catch {
    return null;
  }
  if (!Array.isArray(links)) return null;
  return links.filter(isObject).flatMap((link) => {
    const addresses = Array.isArray(link.addr_info) ? link.addr_info.filter(isObject) : [];
    return addresses.map((entry) => parseEntry(entry, Number(link.ifindex)))
      .filter((entry) => entry !== null);
  });
}

function parseEntry(entry: Record<string, unknown>, index: number): InterfaceAddress | null {
  const address = typeof entry.local === "string" ? parseIp(entry.local) : null;
  if (address === null || typeof entry.prefixlen !== "number") return null;
  const valid = entry.valid_life_time;
  return {
    index,
    address,
    prefix: entry.prefixlen,
    leaseSeconds: typeof valid === "number" && valid !== FOREVER ? valid : null,
    noPrefixRoute: entry.noprefixroute === true,
    secondary: entry.secondary === true,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** A name that cannot end its line early (IFNAMSIZ of Linux is 16 with the final zero). */
function deviceName(device: string): string {
  if (/^[^\s/]{1,15}$/.test(device)) return device;
  throw new Error(`Cannot name an interface to \`ip\`: ${JSON.stringify(device)}`);
}
