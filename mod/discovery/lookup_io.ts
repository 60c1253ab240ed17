/**
 * One name looked up the way the system would: the hosts file, then DNS with search domains, then `getaddrinfo`.
 *
 * The two files are read anew for every lookup, so a change of either needs no restart. The last resort knows
 * what only the system knows (mDNS, directories) and is asked only when DNS says that there is no such name. It
 * knows no schedule and keeps nothing.
 */
import { lookup as systemLookup } from "node:dns/promises";
import { formatIp, parseIp } from "../base/address.ts";
import { type Lookup, type Name, type Part, partKey } from "./answer.ts";
import type { RecordType, SrvRecord } from "./dns_message.ts";
import { type Answer, queryDns } from "./dns_query_io.ts";
import { hostsAddresses } from "./hosts_file.ts";
import { MAX_MEMBERS } from "./name_book.ts";
import { candidates, parseResolvConf, type ResolvConf } from "./resolv_conf.ts";

export interface LookupOptions {
  readonly hostsPath: string;
  readonly resolvConfPath: string;
  /** Of the nameservers. */
  readonly port: number;
  /** Whether to ask `getaddrinfo` last. */
  readonly system: boolean;
}

export const SYSTEM_LOOKUP: LookupOptions = {
  hostsPath: "/etc/hosts",
  resolvConfPath: "/etc/resolv.conf",
  port: 53,
  system: true,
};

/** The hosts file has no times to live; reading it is cheap. */
const HOSTS_TTL_S = 5;
/** `getaddrinfo` tells none either. HAProxy: `hold valid` 10 s. */
const SYSTEM_TTL_S = 10;
/** Targets of SRV records that are looked up at the same time. */
const TARGETS_AT_ONCE = 8;

type AddressType = "A" | "AAAA";

/** Looks a name up. Never rejects: what went wrong stands in the parts of the result. */
export async function lookUp(name: Name, options: LookupOptions, signal: AbortSignal): Promise<Lookup> {
  const conf = parseResolvConf(await readText(options.resolvConfPath));
  const ask = (host: string, type: RecordType) =>
    queryDns(host, type, { ...conf, hosts: conf.nameservers, port: options.port }, signal);
  if (name.type === "SRV") return await lookUpServices(name.dns, conf, ask);
  const types: AddressType[] = name.type === "host" ? ["A", "AAAA"] : [name.type];
  const listed = hostsAddresses(await readText(options.hostsPath), name.dns);
  if (listed.some((host) => types.includes(typeOf(host)))) return fixed(types, listed, HOSTS_TTL_S);
  const found = await lookUpHost(name.dns, types, conf, ask);
  if (
    !options.system || signal.aborted || [...found.addresses.values()].some((part) => part.kind !== "none")
  ) {
    return found;
  }
  const known = await askSystem(name.dns);
  return known.some((host) => types.includes(typeOf(host))) ? fixed(types, known, SYSTEM_TTL_S) : found;
}

type Ask = (host: string, type: RecordType) => Promise<Answer>;

/** Asks for the candidates in turn until one exists; both kinds of addresses belong to the same candidate. */
async function lookUpHost(
  dns: string,
  types: readonly AddressType[],
  conf: ResolvConf,
  ask: Ask,
): Promise<Lookup> {
  let best: Answer[] | null = null;
  for (const candidate of candidates(dns, conf)) {
    const answers = await Promise.all(types.map((type) => ask(candidate, type)));
    if (best === null || answers.some(({ kind }) => kind !== "none")) best = answers;
    // Going on after a failure could find another machine's name in another domain.
    if (answers.some(({ kind }) => kind !== "none")) break;
  }
  const parts = (best ?? []).map((answer, index) =>
    [partKey("", types[index]!), addressPart(answer)] as const
  );
  return { services: null, addresses: new Map(parts) };
}

async function lookUpServices(dns: string, conf: ResolvConf, ask: Ask): Promise<Lookup> {
  let services: Part<SrvRecord> = { kind: "none", reason: "no SRV records" };
  for (const candidate of candidates(dns, conf)) {
    services = servicePart(await ask(candidate, "SRV"));
    if (services.kind !== "none") break;
  }
  const addresses = new Map<string, Part<string>>();
  if (services.kind !== "found") return { services, addresses };
  const targets = [...new Set(services.records.map(({ target }) => target))];
  for (let at = 0; at < targets.length; at += TARGETS_AT_ONCE) {
    await Promise.all(
      targets.slice(at, at + TARGETS_AT_ONCE).flatMap((target) =>
        (["A", "AAAA"] as const).map(async (type) => {
          addresses.set(partKey(target, type), addressPart(await ask(target, type)));
        })
      ),
    );
  }
  return { services, addresses };
}

function addressPart(answer: Answer): Part<string> {
  return answer.kind === "found" ? { kind: "found", records: answer.addresses, ttlS: answer.ttlS } : answer;
}

/** At most as many records as servers are used, the most preferred ones, so that lookups of targets are bounded. */
function servicePart(answer: Answer): Part<SrvRecord> {
  if (answer.kind !== "found") return answer;
  const records = answer.services.filter(({ target }) => target !== "")
    .sort((a, b) => a.priority - b.priority || a.target.localeCompare(b.target) || a.port - b.port)
    .slice(0, MAX_MEMBERS);
  if (records.length === 0) return { kind: "none", reason: "the service is declared not available" };
  return { kind: "found", records, ttlS: answer.ttlS };
}

/** A lookup made of addresses that came without a time to live. */
function fixed(types: readonly AddressType[], hosts: readonly string[], ttlS: number): Lookup {
  const addresses = types.map((type): [string, Part<string>] => {
    const records = hosts.filter((host) => typeOf(host) === type);
    return [
      partKey("", type),
      records.length > 0
        ? { kind: "found", records, ttlS }
        : { kind: "none", reason: `no ${type} addresses` },
    ];
  });
  return { services: null, addresses: new Map(addresses) };
}

function typeOf(host: string): AddressType {
  return host.includes(":") ? "AAAA" : "A";
}

async function askSystem(dns: string): Promise<string[]> {
  try {
    const found = await systemLookup(dns, { all: true });
    return found.flatMap(({ address }) => {
      const ip = parseIp(address);
      return ip === null ? [] : [formatIp(ip)];
    });
  } catch {
    // DNS has said why already.
    return [];
  }
}

/** A file that is missing or unreadable counts as empty, as for the system's own resolver. */
async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return "";
  }
}
