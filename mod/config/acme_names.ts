/**
 * For which names certificates are had by ACME. Pure.
 */
import { isHostName, parseIp } from "../base/address.ts";
import type { ListenerConfig } from "./listener_schema.ts";
import type { Config } from "./schema.ts";

/** Let's Encrypt's servers take 253 characters; ours become names of files. */
export const MAX_ACME_NAME = 200;

/** Why there can be no certificate for a name by ACME as it is done here, or null. */
export function acmeNameProblem(name: string): string | null {
  if (name.startsWith("*.")) {
    return "cannot be a wildcard: authorities want a DNS-01 challenge for it, which is not offered";
  }
  if (parseIp(name) !== null) return "cannot be an IP address: only names are offered";
  if (!isHostName(name) || name.endsWith(".")) return "must be a host name";
  return name.length > MAX_ACME_NAME ? `must have at most ${MAX_ACME_NAME} characters` : null;
}

/** The names of a listener: those that it lists, or the exact hosts of its routes. */
export function acmeNamesOf({ tls, routes }: Pick<ListenerConfig, "tls" | "routes">): readonly string[] {
  const { acme = false } = tls ?? {};
  if (typeof acme !== "boolean") return acme;
  const hosts = acme ? routes.flatMap(({ match }) => match.host) : [];
  return [...new Set(hosts.filter((host) => acmeNameProblem(host) === null))];
}

/** All names, each once. */
export function acmeNames({ listeners }: Pick<Config, "listeners">): readonly string[] {
  return [...new Set(listeners.flatMap(acmeNamesOf))];
}
