/**
 * `resolv.conf`: whom to ask, and under which names (resolv.conf(5), as glibc reads it).
 *
 * Unknown options are passed over, malformed ones too: a resolver that refuses to work helps nobody. Knows no files.
 */
import { formatIp, parseIp } from "../base/address.ts";

export interface ResolvConf {
  /** Canonical IP addresses, in the order of the file, at least one. */
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  /** A name with as many dots is first asked for as it is. */
  readonly ndots: number;
  /** For one nameserver to answer. */
  readonly timeoutMs: number;
  /** Rounds through the nameservers. */
  readonly attempts: number;
}

/** glibc: MAXNS 3. */
const MAX_NAMESERVERS = 3;
/** glibc before 2.26: MAXDNSRCH 6; a bound keeps one lookup short. */
const MAX_SEARCH = 6;
/** glibc: RES_MAXNDOTS. */
const MAX_NDOTS = 15;
/** glibc waits 5 s; servers by name want to be known sooner, and a slow answer is asked for again. */
const DEFAULT_TIMEOUT_S = 2;
/** glibc: RES_MAXRETRANS. */
const MAX_TIMEOUT_S = 30;
const DEFAULT_ATTEMPTS = 2;
/** glibc: RES_MAXRETRY. */
const MAX_ATTEMPTS = 5;

export function parseResolvConf(text: string): ResolvConf {
  const nameservers: string[] = [];
  let search: string[] = [];
  const options = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [keyword, ...values] = line.replace(/^[;#].*/, "").trim().split(/\s+/);
    if (keyword === "nameserver") {
      const ip = parseIp(values[0] ?? "");
      if (ip !== null) nameservers.push(formatIp(ip));
    } else if (keyword === "search" || keyword === "domain") {
      // The last of either kind counts.
      search = (keyword === "domain" ? values.slice(0, 1) : values).map(plain).filter((name) => name !== "");
    } else if (keyword === "options") {
      for (const value of values) options.set(value.split(":")[0]!, value.split(":")[1] ?? "");
    }
  }
  return {
    nameservers: nameservers.length === 0 ? ["127.0.0.1"] : nameservers.slice(0, MAX_NAMESERVERS),
    search: search.slice(0, MAX_SEARCH),
    ndots: numberOf(options.get("ndots"), 0, 1, MAX_NDOTS),
    timeoutMs: 1000 * numberOf(options.get("timeout"), 1, DEFAULT_TIMEOUT_S, MAX_TIMEOUT_S),
    attempts: numberOf(options.get("attempts"), 1, DEFAULT_ATTEMPTS, MAX_ATTEMPTS),
  };
}

/** Absolute names to ask for, in order, lower case and without the final dot. */
export function candidates(name: string, { search, ndots }: ResolvConf): string[] {
  const own = plain(name);
  if (name.endsWith(".")) return [own];
  const searched = search.map((domain) => `${own}.${domain}`);
  const dots = own.split(".").length - 1;
  return dots >= ndots ? [own, ...searched] : [...searched, own];
}

function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

function numberOf(text: string | undefined, min: number, otherwise: number, max: number): number {
  if (text === undefined || !/^[0-9]{1,4}$/.test(text)) return otherwise;
  return Math.min(max, Math.max(min, Number(text)));
}
