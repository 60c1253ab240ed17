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
import { choice, familiesOf, type Family, hashKey, ip, ports, serversIn, shareOf } from "./matches.ts";
import { CHAIN, CONNECTIONS, objectName, PACKETS_IN } from "./names.ts";
import type { Bind, KernelPlan, Server, Service, Shares } from "./plan.ts";
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
  const ways = wanted.flatMap((service) => waysOf(service, shares, lan));
  const devices = [...new Set(wanted.map(({ device }) => device))];
  const rulesAt = (device: string) =>
    ways.filter((way) => way.device === device).flatMap(({ rules }) => rules);
  return {
    family: "netdev",
    name: table,
    counters: [FRAGMENTS, ...counters],
    sets: [],
    chains: [
      ...wanted.flatMap((service) => service.servers.flatMap((server) => serverChain(service, server, lan))),
      ...ways.map(({ chain }) => chain),
      ...devices.map((device) => ({
        name: objectName("at", device),
        hook: `type filter hook ingress device "${device}" priority filter; policy accept;`,
        rules: [
          ...new Set([
            ...wanted.flatMap((one) => one.device === device ? fragments(one) : []),
            ...rulesAt(device),
          ]),
        ],
      })),
    ],
  };
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
      `ether saddr set ${lan.devices.get(device)} ether daddr set ${mac} fwd to "${device}"`,
    ],
  }];
}

/** A chain that chooses a server, and the rules that lead to it. */
interface Way {
  readonly device: string;
  readonly chain: Chain;
  readonly rules: readonly string[];
}

/** For each family one for packets, and one for the errors that quote them. */
function waysOf(service: Service, shares: Shares, lan: Lan): Way[] {
  const { device, name } = service;
  return familiesOf(service).flatMap((family) => {
    const servers = serversIn(service, family);
    const given = servers.map((server) =>
      lan.servers.has(server.host) ? shareOf(service, server, shares) : 0
    );
    const binds = service.binds.filter((bind) => bind.family === family);
    const chosen = choice(service, servers, given, (server) => objectName(CHAIN, name, server.name));
    if (chosen === null) return [];
    const way = (kind: string, key: string, match: (bind: Bind, service: Service) => string): Way => {
      const chain = { name: objectName(kind + family, name), rules: [chosen(key)] };
      return { device, chain, rules: binds.map((bind) => `${match(bind, service)} goto ${chain.name}`) };
    };
    return [
      way(CHAIN, hashKey(service, family), destined),
      way(ERRORS, quotedKey(service, family), quoting),
    ];
  });
}

/** Frames for this node's own MAC. */
const OURS = "meta pkttype host";

function destined(bind: Bind, { protocol }: Service): string {
  return `${OURS} ${ip(bind.family)} daddr ${bind.host} ${protocol} dport ${ports(bind)}`;
}

/** Counted and left to this node's own stack, which cannot use them either. */
function fragments({ binds }: Service): string[] {
  return binds.map(({ family, host }) => {
    const fragment = family === 4 ? "ip frag-off & 0x3fff != 0" : "exthdr frag exists";
    return `${OURS} ${ip(family)} daddr ${host} ${fragment} counter name ${FRAGMENTS} accept`;
  });
}

function quoting(bind: Bind, { protocol }: Service): string {
  const { family, host } = bind;
  const { errors, protocol: at, ports: from } = QUOTED[family];
  return `${OURS} ${ip(family)} daddr ${host} ${errors} @th,${at},8 ${NUMBERS[protocol]} @th,${from},16 ${
    ports(bind)
  }`;
}

/** What is hashed of a client's packet, where an error quotes the answer to it. */
function quotedKey({ hash }: Service, family: Family): string {
  const { to: [at, bits], ports: from } = QUOTED[family];
  const address = `@th,${at},${bits}`;
  return hash === "source" ? address : `${address} . @th,${from + 16},16`;
}
