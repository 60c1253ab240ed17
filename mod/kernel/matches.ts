/**
 * Pieces of rules that more than one table has: which packets a service means, and which server a table leads to. Pure.
 */
import type { Bind, Server, Service, Shares } from "./plan.ts";
import { spread } from "./spread.ts";

/** One for all nodes: the kernel draws another at every load otherwise, and every flow would move. */
export const SEED = "0x74616e64";

export type Family = 4 | 6;

/** How nft calls the headers of a family. */
export function ip(family: Family): "ip" | "ip6" {
  return family === 4 ? "ip" : "ip6";
}

export function ports({ port, lastPort }: Bind): string {
  return port === lastPort ? String(port) : `${port}-${lastPort}`;
}

/** A listener's address, and the chain in which packets for it go on. */
export interface Way {
  readonly bind: Bind;
  readonly protocol: Service["protocol"];
  readonly chain: string;
}

/**
 * Rules that lead there: one for all ports of an address, so that a packet costs the same however many there are. Those
 * of one address come before those of every address. `match`: an expression that tells the address, and is the port.
 */
export function leading(ways: readonly Way[], match: (way: Way) => string): string[] {
  const ordered = ways.toSorted((one, other) =>
    Number(one.bind.host === null) - Number(other.bind.host === null)
  );
  return [...Map.groupBy(ordered, match)].map(([matched, [first, ...more]]) => {
    if (more.length === 0) return `${matched} ${ports(first!.bind)} goto ${first!.chain}`;
    const elements = [first!, ...more].map(({ bind, chain }) => `${ports(bind)} : goto ${chain}`);
    return `${matched} vmap { ${elements.join(", ")} }`;
  });
}

/** Servers of one family. */
export function serversIn({ servers }: Service, family: Family): readonly Server[] {
  return servers.filter((server) => server.family === family);
}

export function familiesOf({ binds }: Service): readonly Family[] {
  return ([4, 6] as const).filter((family) => binds.some((bind) => bind.family === family));
}

/** A server's share of new connections. */
export function shareOf({ pool }: Service, { name }: Server, shares: Shares): number {
  return shares.get(pool)?.get(name)?.share ?? 0;
}

/**
 * A rule's end that sends what reaches it to one of the servers, by the key that is hashed; null when none takes
 * traffic. `chainOf` names the chain of a server.
 */
export function choice(
  service: Service,
  servers: readonly Server[],
  shares: readonly number[],
  chainOf: (server: Server) => string,
): ((key: string) => string) | null {
  const table = spread(
    service.policy,
    servers.map(({ host, port, weight }, index) => ({
      key: `${host} ${port}`,
      weight,
      share: shares[index]!,
    })),
  );
  const [first] = table;
  if (first === undefined) return null;
  const chains = servers.map(chainOf);
  if (table.every((index) => index === first)) return () => `goto ${chains[first]}`;
  const elements = table.map((index, at) => `${at} : goto ${chains[index]}`).join(", ");
  return (key) => `${position(service, table.length, key)} vmap { ${elements} }`;
}

function position({ policy }: Service, size: number, key: string): string {
  if (policy === "roundRobin") return `numgen inc mod ${size}`;
  if (policy === "random") return `numgen random mod ${size}`;
  return `jhash ${key} mod ${size} seed ${SEED}`;
}

/** What of a packet from a client is hashed. */
export function hashKey({ hash, protocol }: Service, family: Family): string {
  return hash === "source" ? `${ip(family)} saddr` : `${ip(family)} saddr . ${protocol} sport`;
}
