/**
 * The table of `forward: nat`: addresses are rewritten, and the kernel's connection tracking does the rest. Pure.
 *
 * The first packet of a connection goes through a service's chain, which chooses, to the chain of a server, which
 * counts, remembers and rewrites. Later packets are only counted (`count`), which costs them two look-ups. Packets of
 * nobody else are touched: every rule names the address or the servers.
 */
import {
  CHAIN,
  CONNECTIONS,
  COUNT,
  MASQUERADE,
  objectName,
  PACKETS_IN,
  PACKETS_OUT,
  REMEMBERED,
} from "./names.ts";
import {
  choice,
  familiesOf,
  type Family,
  hashKey,
  ip,
  leading,
  serversIn,
  shareOf,
  type Way,
} from "./matches.ts";
import type { KernelPlan, Server, Service, Shares } from "./plan.ts";
import type { AddressSet, Chain, Table } from "./table.ts";

/** Null: no listener wants it. */
export function natTable({ table, services }: KernelPlan, shares: Shares): Table | null {
  const wanted = services.filter(({ mode }) => mode === "nat");
  if (wanted.length === 0) return null;
  const counters = wanted.flatMap(({ name, servers }) =>
    servers.flatMap((server) =>
      [CONNECTIONS, PACKETS_IN, PACKETS_OUT].map((kind) => objectName(kind, name, server.name))
    )
  );
  const sets = wanted.flatMap((service) => rememberedOf(service, shares));
  const chosen = wanted.flatMap((service) => choosing(service, shares));
  const counted = wanted.flatMap((service) => counting(service, shares));
  const masked = wanted.flatMap(masquerading);
  return {
    family: "inet",
    name: table,
    counters,
    sets,
    chains: [
      ...wanted.flatMap((service) => service.servers.map((server) => serverChain(service, server))),
      ...[...chosen, ...counted, ...masked].map(({ chain }) => chain),
      { name: "services", rules: leadingTo(chosen, destined) },
      { name: "count", rules: leadingTo(counted, madeTo) },
      { name: "hide", rules: leadingTo(masked, madeTo) },
      ...HOOKS,
    ],
  };
}

const HOOKS: readonly Chain[] = [
  {
    name: "prerouting",
    hook: "type nat hook prerouting priority dstnat; policy accept;",
    rules: ["goto services"],
  },
  // This machine is a client too.
  { name: "output", hook: "type nat hook output priority -100; policy accept;", rules: ["goto services"] },
  {
    name: "forward",
    hook: "type filter hook forward priority filter; policy accept;",
    rules: ["ct status dnat goto count"],
  },
  {
    name: "postrouting",
    hook: "type nat hook postrouting priority srcnat; policy accept;",
    rules: ["ct status dnat goto hide"],
  },
];

/** A chain for a service's packets of one family. */
interface Part {
  readonly service: Service;
  readonly family: Family;
  readonly chain: Chain;
}

function leadingTo(parts: readonly Part[], match: (way: Way) => string): string[] {
  return leading(
    parts.flatMap(({ service: { binds, protocol }, family, chain }) =>
      binds.filter((bind) => bind.family === family).map((bind) => ({ bind, protocol, chain: chain.name }))
    ),
    match,
  );
}

/** Packets for a listener's address; those of the loopback cannot leave this machine. */
function destined({ bind: { host, family }, protocol }: Way): string {
  const loopback = family === 4 ? "127.0.0.0/8" : "::1";
  const address = host === null
    ? `${ip(family)} daddr != ${loopback} fib daddr type local`
    : `${ip(family)} daddr ${host}`;
  return `${address} ${protocol} dport`;
}

/** Connections that a client made to a listener's address, wherever they were sent. */
function madeTo({ bind: { host, family }, protocol }: Way): string {
  const address = host === null ? `meta nfproto ipv${family}` : `ct original ${ip(family)} daddr ${host}`;
  return `meta l4proto ${protocol} ${address} ct original proto-dst`;
}

const chainOf = (service: Service, server: Server) => objectName(CHAIN, service.name, server.name);

/** Its life is in the name: a set in the kernel cannot be given another. */
function setOf({ name, persist }: Service, server: Server): string {
  return objectName(`${REMEMBERED}${persist!.seconds}.${persist!.entries}`, name, server.name);
}

function rememberedOf(service: Service, shares: Shares): AddressSet[] {
  const { persist, servers } = service;
  if (persist === null) return [];
  return servers.map((server) => ({
    name: setOf(service, server),
    family: server.family,
    ...persist,
    // Whoever was sent here is sent elsewhere, and stays there.
    flush: shareOf(service, server, shares) === 0,
  }));
}

function serverChain(service: Service, server: Server): Chain {
  const { name, protocol, persist } = service;
  const { family, host, port } = server;
  const target = port === null ? host : family === 4 ? `${host}:${port}` : `[${host}]:${port}`;
  const rules = [`counter name ${objectName(CONNECTIONS, name, server.name)}`];
  // A rule of its own: a set that is full ends the rule, and the packet must go on.
  if (persist !== null) rules.push(`update @${setOf(service, server)} { ${ip(family)} saddr }`);
  rules.push(`meta l4proto ${protocol} dnat ${ip(family)} to ${target}`);
  return { name: chainOf(service, server), rules };
}

/** Chains that choose among the servers of a family. */
function choosing(service: Service, shares: Shares): Part[] {
  return familiesOf(service).flatMap((family) => {
    const servers = serversIn(service, family);
    const given = servers.map((server) => shareOf(service, server, shares));
    const chosen = choice(service, servers, given, (one) => chainOf(service, one));
    // Without: packets reach this machine itself, which refuses them as it does where nobody listens.
    if (chosen === null) return [];
    const open = servers.filter((_, index) => given[index]! > 0);
    const known = service.persist === null
      ? []
      : open.map((one) => `${ip(family)} saddr @${setOf(service, one)} goto ${chainOf(service, one)}`);
    return [partOf(CHAIN, service, family, [...known, chosen(hashKey(service, family))])];
  });
}

/** Every packet to or from a server; those to one that is down are refused where that is wanted. */
function counting(service: Service, shares: Shares): Part[] {
  return eachFamily(service, (family, servers, ranged) => {
    const counted = (kind: string) =>
      servers.map((one) => `${serverValue(one)} : "${objectName(kind, service.name, one.name)}"`).join(", ");
    const to = serverKey(family, ranged, "d");
    const down = servers.filter(({ name }) => shares.get(service.pool)?.get(name)?.up === false);
    const refuse = service.protocol === "tcp" ? "tcp reset" : "icmpx type port-unreachable";
    const rules = [
      `ct direction reply counter name ${serverKey(family, ranged, "s")} map { ${
        counted(PACKETS_OUT)
      } } return`,
      `counter name ${to} map { ${counted(PACKETS_IN)} }`,
      ...(service.resetWhenDown && down.length > 0
        ? [`${to} { ${down.map(serverValue).join(", ")} } reject with ${refuse}`]
        : []),
    ];
    return partOf(COUNT, service, family, rules);
  });
}

function masquerading(service: Service): Part[] {
  if (!service.masquerade) return [];
  return eachFamily(service, (family, servers, ranged) => {
    const to = `${serverKey(family, ranged, "d")} { ${servers.map(serverValue).join(", ")} }`;
    return partOf(MASQUERADE, service, family, [`${to} masquerade`]);
  });
}

/** Servers as nft compares them with a packet's address (and port, unless it is the client's). */
function serverKey(family: Family, ranged: boolean, side: "s" | "d"): string {
  const address = `${ip(family)} ${side}addr`;
  return ranged ? address : `${address} . th ${side}port`;
}

const serverValue = ({ host, port }: Server) => port === null ? host : `${host} . ${port}`;

function partOf(kind: string, service: Service, family: Family, rules: readonly string[]): Part {
  return { service, family, chain: { name: objectName(`${kind}${family}`, service.name), rules } };
}

/** For each family that has servers. */
function eachFamily(
  service: Service,
  partOf: (family: Family, servers: readonly Server[], ranged: boolean) => Part,
): Part[] {
  return familiesOf(service).flatMap((family) => {
    const servers = serversIn(service, family);
    return servers.length === 0 ? [] : [partOf(family, servers, servers.some(({ port }) => port === null))];
  });
}
