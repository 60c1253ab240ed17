/**
 * The names among a configuration's servers, and the addresses that stand for them: what lies between the
 * configuration, which knows no DNS, and discovery, which knows no pools. Pure.
 */
import { parseIp } from "../base/address.ts";
import type { ServerConfig } from "../config/pool_schema.ts";
import type { Config } from "../config/schema.ts";
import type { Member, Name } from "../discovery/answer.ts";

/** One address of a server. Weight and backup are told only by SRV records. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly weight?: number;
  readonly backup?: boolean;
}

/** The names to look up, each once, in the order of the configuration. */
export function namesOf(config: Pick<Config, "pools">): Name[] {
  const names = new Map<string, Name>();
  for (const pool of Object.values(config.pools)) {
    for (const server of pool.servers) {
      const name = nameOf(server);
      if (name !== null) names.set(`${name.type} ${name.dns}`, name);
    }
  }
  return [...names.values()];
}

/** The addresses of a pool's server, by its index, now. */
export function addressesAt(
  { pools }: Pick<Config, "pools">,
  pool: string,
  index: number,
  members: (name: Name) => readonly Member[],
): Address[] {
  const server = pools[pool]?.servers[index];
  return server === undefined ? [] : addressesOf(server, members);
}

/** The addresses of a server now: its own, or those behind its name. */
export function addressesOf(server: ServerConfig, members: (name: Name) => readonly Member[]): Address[] {
  const { source } = server;
  const name = nameOf(server);
  if (name === null) return source.kind === "address" ? [{ host: source.host, port: source.port }] : [];
  return members(name).map(({ host, port, weight, backup }) => ({
    host,
    port: port ?? source.port,
    ...(weight === null ? {} : { weight }),
    ...(backup ? { backup } : {}),
  }));
}

function nameOf({ source }: ServerConfig): Name | null {
  if (source.kind === "dns") return { dns: source.dns, type: source.type };
  return parseIp(source.host) === null ? { dns: source.host.toLowerCase(), type: "host" } : null;
}
