/**
 * Rules about the admin address: who may reach it, and that no pool leads to it. Pure.
 *
 * A pool that pointed at it would let every client of a listener ask what only this machine may, as it would seem to be
 * this machine that asks.
 */
import {
  formatHostPort,
  formatIp,
  type HostPort,
  isLoopbackIp,
  isUnspecifiedIp,
  parseIp,
  unmapIp,
} from "../base/address.ts";
import type { RuleContext } from "./rules.ts";
import type { Config } from "./schema.ts";

/** The addresses of this machine's interfaces, asked for only where they matter: a file does not tell them. */
export type OwnAddresses = () => ReadonlySet<string>;

const NONE: OwnAddresses = () => new Set();

export function checkAdmin(context: RuleContext): void {
  const { admin, pools } = context.config;
  if (admin === undefined || !context.whole(["admin"])) return;
  if (admin.token === undefined && !isLoopbackIp(parseIp(admin.bind.host)!)) {
    context.error(
      ["admin", "bind"],
      "needs admin.token as it is not a loopback address (such as 127.0.0.1:9900)",
    );
  }
  for (const [pool, { servers }] of Object.entries(pools)) {
    for (const [at, { source }] of servers.entries()) {
      const host = source.kind === "address" ? source.host : source.dns;
      if (source.port !== admin.bind.port || !leadsTo(host, context.config)) continue;
      const text = formatHostPort(admin.bind.host, admin.bind.port);
      context.error(
        ["pools", pool, "servers", at],
        `cannot be the admin address (${text}), which is not for clients`,
      );
    }
  }
}

/** True for an address of a server that is the admin address, found when a name was resolved or the node started. */
export function isAdminAddress(
  config: Config,
  { host, port }: HostPort,
  own: OwnAddresses = NONE,
): boolean {
  return config.admin !== undefined && config.admin.bind.port === port && leadsTo(host, config, own);
}

/** Whether a connection to a host would come to the address that the admin server is bound to, as far as is known. */
function leadsTo(host: string, { admin, vrrp }: Config, own = NONE): boolean {
  const bind = unmapIp(parseIp(admin!.bind.host)!);
  const isLocalhost = host.toLowerCase() === "localhost";
  const parsed = parseIp(host);
  if (parsed === null && !isLocalhost) return false;
  const ip = parsed === null ? null : unmapIp(parsed);
  // The unspecified address as a destination is this machine.
  const here = ip === null || isUnspecifiedIp(ip);
  if (!isUnspecifiedIp(bind)) return here ? isLoopbackIp(bind) : formatIp(ip) === formatIp(bind);
  return here || isLoopbackIp(ip) || own().has(formatIp(ip)) ||
    vrrp.instances.some(({ addresses }) => addresses.some(({ address }) => address === formatIp(ip)));
}
