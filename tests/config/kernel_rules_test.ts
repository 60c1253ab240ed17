import { assertEquals } from "../assert.ts";
import { errors, warnings } from "./reading.ts";

const SERVERS = 'servers: ["10.0.0.1:80"]';

/** One listener in line 1 and its pool in line 2. */
function forwarded(listener: string, pool = SERVERS): string {
  return `listeners: [{ name: web, pool: app, ${listener} }]\npools: { app: { ${pool} } }`;
}

const nat = (more = "", pool = SERVERS) =>
  forwarded(`bind: "10.0.0.9:80", protocol: tcp, forward: nat${more === "" ? "" : `, ${more}`}`, pool);

Deno.test("checkKernel() what nat does", async () => {
  const good = [
    nat(),
    nat("kernel: { masquerade: false, persist: 30m, persistEntries: 10, whenServerDown: reset }"),
    nat("", `balance: hash, hashMethod: mod, hashOn: connection, ${SERVERS}`),
    nat("", `balance: maglev, ${SERVERS}`),
    nat("", `balance: random, ${SERVERS}`),
    forwarded('bind: [":80", "10.0.0.9:81"], protocol: udp, forward: nat'),
    forwarded('bind: "10.0.0.9:8000-8100", protocol: tcp, forward: nat', 'servers: ["10.0.0.1:8000"]'),
    `${nat()}\nkernel: { onExit: keep }`,
  ];
  for (const text of good) assertEquals([await errors(text), await warnings(text)], [[], []], text);
});

Deno.test("checkKernel() the kernel sees no requests, no TLS and no PROXY header", async () => {
  assertEquals(await errors(forwarded('bind: ":80", forward: nat')), [
    "1:59 «nat» listeners[0].forward: needs protocol tcp or udp: the kernel sees no requests",
  ]);
  const [proxyProtocol, trustedProxies] = await errors(
    nat("proxyProtocol: { from: [10.0.0.0/8] }, trustedProxies: [10.0.0.0/8]"),
  );
  assertEquals(
    proxyProtocol,
    "1:87 «proxyProtocol» listeners[0].proxyProtocol: cannot stand on a listener that the kernel forwards",
  );
  assertEquals(trustedProxies?.includes("cannot stand on a listener that the kernel forwards"), true);
  assertEquals(
    await errors(
      `listeners: [{ name: web, bind: ":80", protocol: tcp, forward: nat, routes: [{ pool: app }] }]
pools: { app: { ${SERVERS} } }`,
    ),
    [
      "1:68 «routes» listeners[0].routes: cannot stand on a listener that the kernel forwards: name its one pool by pool",
    ],
  );
  assertEquals(await errors(nat("", `tls: true, proxyProtocol: v2, ${SERVERS}`)), [
    '2:17 «tls» pools.app.tls: cannot stand in a pool of listener "web", which the kernel forwards',
    '2:28 «proxyProtocol» pools.app.proxyProtocol: cannot stand in a pool of listener "web", which the kernel forwards',
  ]);
});

Deno.test("checkKernel() policies that count or measure, and names as servers, are not for the kernel", async () => {
  const of = 'in a pool of listener "web", which the kernel forwards';
  assertEquals(await errors(nat("", `balance: leastConnections, ${SERVERS}`)), [
    `2:26 «leastConnections» pools.app.balance: must be roundRobin, random, hash or maglev ${of}`,
  ]);
  assertEquals(await errors(nat("", `balance: hash, ${SERVERS}`)), [
    `2:26 «hash» pools.app.balance: needs hashMethod: mod ${of}; few clients move with maglev`,
  ]);
  assertEquals(await errors(nat("", `balance: maglev, hashOn: "header:x", ${SERVERS}`)), [
    `2:42 «"header:x"» pools.app.hashOn: must be sourceIp or connection ${of}`,
  ]);
  assertEquals(
    await errors(nat("", "servers: [app.internal:80, { dns: app, port: 80 }]")),
    [
      `2:27 «app.internal:80» pools.app.servers[0]: must have an IP address, not a name, ${of}`,
      `2:44 «{ dns: app, port: 80 }» pools.app.servers[1]: must have an IP address, not a name, ${of}`,
      '1:43 «"10.0.0.9:80"» listeners[0].bind: needs a server with an IPv4 address in pool "app"',
    ].sort(),
  );
});

Deno.test("checkKernel() ports of a range are those of the servers", async () => {
  const text = forwarded(
    'bind: "10.0.0.9:8000-8100", protocol: tcp, forward: nat',
    'servers: ["10.0.0.1:80"]',
  );
  assertEquals(await errors(text), [
    '2:27 «"10.0.0.1:80"» pools.app.servers[0]: must have port 8000, the first of the range, in a pool of listener "web", which the kernel forwards: ports of a range are not translated',
  ]);
  for (
    const bind of ["10.0.0.9:80-80", "10.0.0.9:81-80", "10.0.0.9:0-80", "10.0.0.9:80-99999", "10.0.0.9:80-"]
  ) {
    assertEquals((await errors(forwarded(`bind: "${bind}", protocol: tcp, forward: nat`))).length, 1, bind);
  }
});

Deno.test("checkKernel() a listener without an address family's server, or a port, is refused", async () => {
  assertEquals(await errors(forwarded('bind: ["[fd00::9]:80", "10.0.0.9:0"], protocol: tcp, forward: nat')), [
    '1:44 «"[fd00::9]:80"» listeners[0].bind[0]: needs a server with an IPv6 address in pool "app"',
    '1:60 «"10.0.0.9:0"» listeners[0].bind[1]: must have a port on a listener that the kernel forwards',
  ]);
});

Deno.test("checkKernel() what only the kernel does needs it", async () => {
  assertEquals(await errors(forwarded('bind: "10.0.0.9:80-90", protocol: tcp')), [
    '1:43 «"10.0.0.9:80-90"» listeners[0].bind: needs forward: nat or dsr, as it is a range of ports',
  ]);
  assertEquals(await errors(forwarded('bind: ":80", kernel: { persist: 5m }')), [
    "1:50 «kernel» listeners[0].kernel: has no sense without forward: nat or dsr",
  ]);
  assertEquals(await errors(forwarded('bind: ":80"', `balance: hash, hashOn: connection, ${SERVERS}`)), [
    '2:40 «connection» pools.app.hashOn: cannot be connection in a pool of listener "web", which the kernel does not forward',
  ]);
  assertEquals(await errors(nat("kernel: { persistEntries: 5, interface: eth0 }")), [
    "1:97 «persistEntries» listeners[0].kernel.persistEntries: has no sense without persist",
    "1:116 «interface» listeners[0].kernel.interface: has no sense with forward: nat",
  ]);
});

Deno.test("checkKernel() datagrams and connections share a port, two listeners of one kind do not", async () => {
  const two = (one: string, other: string) =>
    `listeners:
  - { name: a, bind: "10.0.0.9:50-60", protocol: ${one}, forward: nat, pool: app }
  - { name: b, bind: ":53", protocol: ${other}, forward: nat, pool: b }
pools: { app: { servers: ["10.0.0.1:50"] }, b: { servers: ["10.0.0.1:53"] } }`;
  assertEquals(await errors(two("tcp", "udp")), []);
  assertEquals(await errors(two("udp", "udp")), [
    '3:22 «":53"» listeners[1].bind: overlaps 10.0.0.9:50-60, the address of listener "a" already',
  ]);
});

Deno.test("checkKernel() settings of proxying have no effect, which is told", async () => {
  const text = nat(
    "limits: { connections: 5 }",
    `queue: { size: 1 }, sticky: { by: sourceIp }, servers: [{ address: "10.0.0.1:80", maxConnections: 5 }]`,
  );
  assertEquals((await warnings(text)).map((one) => one.replace(/^.*» /, "")), [
    "listeners[0].limits: has no effect on a listener that the kernel forwards",
    'pools.app.queue: has no effect in a pool of listener "web", which the kernel forwards',
    'pools.app.sticky: has no effect in a pool of listener "web", which the kernel forwards',
    'pools.app.servers[0].maxConnections: has no effect in a pool of listener "web", which the kernel forwards',
  ]);
});

const dsr = (more = "", pool = `balance: maglev, ${SERVERS}`) =>
  forwarded(`bind: "10.0.0.9:80", protocol: tcp, forward: dsr${more}`, pool);
const ON_ETH0 = ", kernel: { interface: eth0 }";

Deno.test("checkKernel() what dsr does", async () => {
  const good = [
    dsr(ON_ETH0),
    dsr(ON_ETH0, `balance: maglev, hashOn: connection, ${SERVERS}`),
    forwarded(
      'bind: "10.0.0.9:80-90", protocol: udp, forward: dsr, kernel: { interface: eth0 }',
      `balance: maglev, ${SERVERS}`,
    ),
  ];
  for (const text of good) assertEquals([await errors(text), await warnings(text)], [[], []], text);
});

Deno.test("checkKernel() dsr keeps no state, translates no port, and wants to know the interface", async () => {
  const of = 'in a pool of listener "web", which the kernel forwards';
  assertEquals(await errors(dsr(ON_ETH0, SERVERS)), [
    `2:15 «{ ${SERVERS} }» pools.app: must be maglev ${of} with dsr, and keeps no state`,
  ]);
  assertEquals(await errors(dsr("", 'balance: maglev, servers: ["10.0.0.1:81"]')), [
    '1:43 «"10.0.0.9:80"» listeners[0].bind: needs kernel.interface, as no instance has this address',
    `2:44 «"10.0.0.1:81"» pools.app.servers[0]: must have port 80, the listener's, ${of}: packets go to servers as they are`,
  ]);
  assertEquals(await errors(dsr(", kernel: { interface: eth0, masquerade: false, persist: 5m }")), [
    "1:114 «masquerade» listeners[0].kernel.masquerade: has no sense with forward: dsr",
    "1:133 «persist» listeners[0].kernel.persist: has no sense with forward: dsr",
  ]);
  assertEquals(
    await errors(
      forwarded(`bind: ":80", protocol: tcp, forward: dsr${ON_ETH0}`, `balance: maglev, ${SERVERS}`),
    ),
    [
      '1:43 «":80"» listeners[0].bind: must be the one address that the servers have too, with forward: dsr',
    ],
  );
});

Deno.test("checkKernel() a server of dsr is no node", async () => {
  const vrrp = (more: string) =>
    `\nvrrp: { instances: [{ name: edge, interface: eth0, routerId: 1, addresses: [10.0.0.9], priority: 100, ${more} }] }`;
  const circle = "packets would go round in a circle";
  assertEquals(await errors(dsr() + vrrp("peers: [10.0.0.1]")), [
    `2:44 «"10.0.0.1:80"» pools.app.servers[0]: cannot be a node, as peers of instance "edge" says, with dsr: ${circle}`,
  ]);
  assertEquals(await errors(dsr("", 'balance: maglev, servers: ["10.0.0.9:80"]') + vrrp("")), [
    `2:44 «"10.0.0.9:80"» pools.app.servers[0]: cannot be a node, as addresses of instance "edge" says, with dsr: ${circle}`,
  ]);
  const two = forwarded(
    'bind: ["10.0.0.9:80", "10.1.0.9:80"], protocol: tcp, forward: dsr',
    `balance: maglev, ${SERVERS}`,
  );
  const other = ", { name: b, interface: eth1, routerId: 2, addresses: [10.1.0.9], priority: 100 }] }";
  assertEquals(await errors(two + vrrp("").replace("] }", other)), [
    '1:59 «"10.1.0.9:80"» listeners[0].bind[1]: is on eth1, and the listener on eth0: with forward: dsr it needs a listener of its own',
  ]);
  assertEquals(await errors(dsr() + vrrp("transport: vrrp3, virtualMac: true")), [
    '1:43 «"10.0.0.9:80"» listeners[0].bind: cannot be an address of instance "edge", which has virtualMac, with forward: dsr',
  ]);
});
