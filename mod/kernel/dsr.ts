/**
 * The table of `forward: dsr`: a frame for a listener's address gets the MAC of a server and is sent on as it came in,
 * before the node's own IP stack sees it. Servers have the address too, and answer clients themselves. Pure.
 *
 * No state is kept: the client's address (and port) is hashed into a Maglev table that is the same on every node. So
 * connections survive a move of the address, and only those of a server that goes are sent elsewhere. An ICMP error
 * goes to the server whose packet it quotes. Only frames for this node's own MAC are taken: a node that does not hold
 * the address gets none.
 */
import type { Lan } from "./lan.ts";
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
import { CHAIN, CONNECTIONS, objectName, PACKETS_IN } from "./names.ts";
import type { KernelPlan, Server, Service, Shares } from "./plan.ts";
import type { Chain, Table } from "./table.ts";

/** Fragments, which name no port but in the first, and are not forwarded. */
export const FRAGMENTS = "fragments";
const ERRORS = "err";

/** Protocol numbers (RFC 5237). */
const NUMBERS = { tcp: 6, udp: 17 } as const;

/**
 * Where an ICMP error quotes what concerns us, in bits from the start of its own header of 64 bits: the protocol, the
 * address and port that the server sent to, and the port that it sent from. (RFC 792, RFC 4443 section 3; what servers
 * send has no IP options.)
 */
const QUOTED = {
  4: {
    errors: "icmp type { destination-unreachable, time-exceeded, parameter-problem }",
    protocol: 136,
    to: [192, 32],
    ports: 224,
  },
  6: {
    errors: "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem }",
    protocol: 112,
    to: [256, 128],
    ports: 384,
  },
} as const;

/** Null: no listener wants it. `lan`: the MACs that are known. */
export function dsrTable({ table, services }: KernelPlan, shares: Shares, lan: Lan): Table | null {
  const wanted = services.filter(({ mode, device }) => mode === "dsr" && lan.devices.has(device));
  if (wanted.length === 0) return null;
  const counters = wanted.flatMap(({ name, servers }) =>
    servers.flatMap((server) => [CONNECTIONS, PACKETS_IN].map((kind) => objectName(kind, name, server.name)))
  );
  const parts = wanted.flatMap((service) => partsOf(service, shares, lan));
  const devices = [...new Set(wanted.map(({ device }) => device))];
  return {
    family: "netdev",
    name: table,
    counters: [FRAGMENTS, ...counters],
    sets: [],
    chains: [
      ...wanted.flatMap((service) => service.servers.flatMap((server) => serverChain(service, server, lan))),
      ...parts.flatMap(({ chains }) => chains),
      ...devices.flatMap((device) =>
        ingress(
          device,
          lan,
          wanted.filter((one) => one.device === device),
          parts.filter((one) => one.service.device === device),
        )
      ),
    ],
  };
}

/** Where a device's frames are looked at: of those for this node's own MAC, each family in a chain of its own. */
function ingress(
  device: string,
  lan: Lan,
  services: readonly Service[],
  parts: readonly Part[],
): Chain[] {
  const families = ([4, 6] as const).filter((family) =>
    services.some((one) => familiesOf(one).includes(family))
  );
  const chainOf = (family: Family) => objectName(`at${family}`, device);
  const { index } = lan.devices.get(device)!;
  return [
    ...families.map((family) => {
      const ways = parts.filter((part) => part.family === family);
      const rules = [
        ...fragments(family, services),
        ...leading(ways.flatMap(({ packets }) => packets), destined),
        ...leading(ways.flatMap(({ errors }) => errors), quoting),
      ];
      return { name: chainOf(family), rules };
    }),
    {
      name: objectName("at", device),
      // The number is there to be another where the interface is: then the rules are set again.
      hook:
        `type filter hook ingress device "${device}" priority filter; policy accept; # interface ${index}`,
      rules: [
        `meta pkttype host meta protocol vmap { ${
          families.map((family) => `${ip(family)} : goto ${chainOf(family)}`).join(", ")
        } }`,
      ],
    },
  ];
}

function serverChain({ name, device, protocol }: Service, server: Server, lan: Lan): Chain[] {
  const mac = lan.servers.get(server.host);
  if (mac === undefined) return [];
  const opening = protocol === "tcp"
    ? [`tcp flags & (syn | ack) == syn counter name ${objectName(CONNECTIONS, name, server.name)}`]
    : [];
  return [{
    name: objectName(CHAIN, name, server.name),
    rules: [
      ...opening,
      `counter name ${objectName(PACKETS_IN, name, server.name)}`,
      `ether saddr set ${lan.devices.get(device)!.mac} ether daddr set ${mac} fwd to "${device}"`,
    ],
  }];
}

/** A service's packets of one family, and the errors that quote them: chains that choose, and what leads there. */
interface Part {
  readonly service: Service;
  readonly family: Family;
  readonly chains: readonly Chain[];
  readonly packets: readonly Way[];
  readonly errors: readonly Way[];
}

function partsOf(service: Service, shares: Shares, lan: Lan): Part[] {
  const { name, protocol } = service;
  return familiesOf(service).flatMap((family) => {
    const servers = serversIn(service, family);
    const given = servers.map((server) =>
      lan.servers.has(server.host) ? shareOf(service, server, shares) : 0
    );
    const chosen = choice(service, servers, given, (server) => objectName(CHAIN, name, server.name));
    if (chosen === null) return [];
    const binds = service.binds.filter((bind) => bind.family === family);
    const leads = (chain: string) => binds.map((bind) => ({ bind, protocol, chain }));
    const packets = { name: objectName(CHAIN + family, name), rules: [chosen(hashKey(service, family))] };
    const errors = { name: objectName(ERRORS + family, name), rules: [chosen(quotedKey(service, family))] };
    return [{
      service,
      family,
      chains: [packets, errors],
      packets: leads(packets.name),
      errors: leads(errors.name),
    }];
  });
}

/** Counted and left to this node's own stack, which cannot use them either. */
function fragments(family: Family, services: readonly Service[]): string[] {
  const hosts = services.flatMap(({ binds }) => binds.filter((bind) => bind.family === family));
  const fragment = family === 4 ? "ip frag-off & 0x3fff != 0" : "exthdr frag exists";
  const addresses = [...new Set(hosts.map(({ host }) => host))].join(", ");
  return [`${fragment} ${ip(family)} daddr { ${addresses} } counter name ${FRAGMENTS} accept`];
}

function destined({ bind: { family, host }, protocol }: Way): string {
  return `${ip(family)} daddr ${host} ${protocol} dport`;
}

function quoting({ bind: { family, host }, protocol }: Way): string {
  const { errors, protocol: at, ports: from } = QUOTED[family];
  return `${ip(family)} daddr ${host} ${errors} @th,${at},8 ${NUMBERS[protocol]} @th,${from},16`;
}

/** What is hashed of a client's packet, where an error quotes the answer to it. */
function quotedKey({ hash }: Service, family: Family): string {
  const { to: [at, bits], ports: from } = QUOTED[family];
  const address = `@th,${at},${bits}`;
  return hash === "source" ? address : `${address} . @th,${from + 16},16`;
}
