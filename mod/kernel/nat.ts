/**
 * The table of `forward: nat`: addresses are rewritten, and the kernel's connection tracking does the rest. Pure.
 *
 * The first packet of a connection goes through a service's chain, which chooses, to the chain of a server, which
 * counts, remembers and rewrites. Later packets are only counted (`count`). Packets of nobody else are touched: every
 * rule names the address or the servers.
 */
import { CHAIN, CONNECTIONS, objectName, PACKETS_IN, PACKETS_OUT, REMEMBERED } from "./names.ts";
import { choice, familiesOf, type Family, hashKey, ip, ports, serversIn, shareOf } from "./matches.ts";
import type { Bind, KernelPlan, Server, Service, Shares } from "./plan.ts";
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
  return {
    family: "inet",
    name: table,
    counters,
    sets,
    chains: [
      ...wanted.flatMap((service) => service.servers.map((server) => serverChain(service, server))),
      ...chosen.map(({ chain }) => chain),
      { name: "services", rules: chosen.flatMap(({ dispatch }) => dispatch) },
      { name: "count", rules: wanted.flatMap((service) => counting(service, shares)) },
      ...HOOKS,
      {
        name: "postrouting",
        hook: "type nat hook postrouting priority srcnat; policy accept;",
        rules: wanted.flatMap(masquerading),
      },
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
];

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

/** The chain that chooses among the servers of a family, and the rules that lead to it. */
function choosing(service: Service, shares: Shares): { chain: Chain; dispatch: string[] }[] {
  return familiesOf(service).flatMap((family) => {
    const servers = serversIn(service, family);
    const given = servers.map((server) => shareOf(service, server, shares));
    const chosen = choice(service, servers, given, (one) => chainOf(service, one));
    // Without: packets reach this machine itself, which refuses them as it does where nobody listens.
    if (chosen === null) return [];
    const name = objectName(`${CHAIN}${family}`, service.name);
    const open = servers.filter((_, index) => given[index]! > 0);
    const known = service.persist === null
      ? []
      : open.map((one) => `${ip(family)} saddr @${setOf(service, one)} goto ${chainOf(service, one)}`);
    const binds = service.binds.filter((bind) => bind.family === family);
    return [{
      chain: { name, rules: [...known, chosen(hashKey(service, family))] },
      dispatch: binds.map((bind) => `${destined(bind, service)} goto ${name}`),
    }];
  });
}

/** Packets for a listener's address; those of the loopback cannot leave this machine. */
function destined(bind: Bind, { protocol }: Service): string {
  const { host, family } = bind;
  const loopback = family === 4 ? "127.0.0.0/8" : "::1";
  const address = host === null
    ? `${ip(family)} daddr != ${loopback} fib daddr type local`
    : `${ip(family)} daddr ${host}`;
  return `${address} ${protocol} dport ${ports(bind)}`;
}

/** Connections that a client made to a listener's address, wherever they were sent. */
function madeTo(bind: Bind, { protocol }: Service): string {
  const { host, family } = bind;
  const address = host === null ? "" : ` ct original ${ip(family)} daddr ${host}`;
  return `meta l4proto ${protocol}${address} ct original proto-dst ${ports(bind)}`;
}

/** Servers as nft compares them with a packet's address (and port, unless it is the client's). */
function serverKey(family: Family, { protocol }: Service, ranged: boolean, side: "s" | "d"): string {
  const address = `${ip(family)} ${side}addr`;
  return ranged ? address : `${address} . ${protocol} ${side}port`;
}

const serverValue = ({ host, port }: Server) => port === null ? host : `${host} . ${port}`;

/** Every packet to or from a server; those to one that is down are refused where that is wanted. */
function counting(service: Service, shares: Shares): string[] {
  return eachBind(service, (bind, servers, ranged) => {
    const { family } = bind;
    const made = madeTo(bind, service);
    const counted = (kind: string) =>
      servers.map((one) => `${serverValue(one)} : "${objectName(kind, service.name, one.name)}"`).join(", ");
    const to = serverKey(family, service, ranged, "d");
    const from = serverKey(family, service, ranged, "s");
    const down = servers.filter(({ name }) => shares.get(service.pool)?.get(name)?.up === false);
    const refuse = service.protocol === "tcp" ? "tcp reset" : "icmpx type port-unreachable";
    return [
      `${made} ct direction original counter name ${to} map { ${counted(PACKETS_IN)} }`,
      `${made} ct direction reply counter name ${from} map { ${counted(PACKETS_OUT)} }`,
      ...(service.resetWhenDown && down.length > 0
        ? [
          `${made} ct direction original ${to} { ${down.map(serverValue).join(", ")} } reject with ${refuse}`,
        ]
        : []),
    ];
  });
}

function masquerading(service: Service): string[] {
  if (!service.masquerade) return [];
  return eachBind(service, (bind, servers, ranged) => {
    const to = serverKey(bind.family, service, ranged, "d");
    return [
      `ct status dnat ${madeTo(bind, service)} ${to} { ${servers.map(serverValue).join(", ")} } masquerade`,
    ];
  });
}

function eachBind(
  service: Service,
  rulesOf: (bind: Bind, servers: readonly Server[], ranged: boolean) => string[],
): string[] {
  return service.binds.flatMap((bind) => {
    const servers = serversIn(service, bind.family);
    return servers.length === 0 ? [] : rulesOf(bind, servers, servers.some(({ port }) => port === null));
  });
}
