import { parseAccounts } from "../../mod/base/accounts.ts";
import { assert, assertEquals, assertNotMatch } from "../assert.ts";
import { errors, good, load, SMALLEST, warnings } from "./reading.ts";

const KEYS = "keys: [{ id: 1, secret: sixteen characters }]";
const REST = `interface: eth0, routerId: 51, addresses: ["203.0.113.10/24"]`;

/** One instance with these fields besides its name, interface, id and address; it stands in line 3. */
function vrrp(...fields: string[]): string {
  return `${SMALLEST}\nvrrp: { instances: [{ name: edge, ${[REST, ...fields].join(", ")} }] }`;
}

/** The messages alone. */
function words(told: readonly string[]): string[] {
  return told.map((one) => one.replace(/^.*?» /, ""));
}

const PAIR = "owners: [lb1, lb2]";

Deno.test("VrrpSchema() defaults, and values as the program wants them", async () => {
  const { vrrp: { instances: [edge] } } = await good(
    vrrp(PAIR, KEYS, "preempt: 30s", "track: [{ pool: app }, { exec: [/bin/true, a], weight: -30 }]"),
    { node: "lb2" },
  );
  assertEquals([edge!.advertInterval, edge!.preempt, edge!.transport], [1000, 30_000, "udp"]);
  assertEquals(edge!.addresses, [{ address: "203.0.113.10", prefix: 24 }]);
  assertEquals(edge!.track, [
    { kind: "pool", name: "app", minHealthy: 1, weight: null },
    {
      kind: "exec",
      command: ["/bin/true", "a"],
      intervalMs: 2000,
      timeoutMs: 2000,
      rise: 1,
      fall: 1,
      initial: "unknown",
      weight: -30,
    },
  ]);
});

Deno.test("VrrpSchema() says what is wrong with each field", async () => {
  const cases: [string, string][] = [
    ["advertInterval: 5ms", "advertInterval: must be 10ms to 40950ms in steps of 10ms"],
    ["advertInterval: 41s", "advertInterval: must be 10ms to 40950ms in steps of 10ms"],
    ["advertInterval: 25ms", "advertInterval: must be 10ms to 40950ms in steps of 10ms"],
    ["track: [{ pool: app, listener: web }]", "must have exactly one of pool, listener"],
    ["track: [{ listener: web, minHealthy: 2 }]", "minHealthy: has no sense with listener"],
    ["track: [{ file: /a, rise: 2 }]", "rise: has no sense with file"],
    ["track: [{ exec: /a, minRunning: 2 }]", "minRunning: has no sense with exec"],
    ["track: [{ exec: /a, weight: 2, fault: true }]", "fault: has no sense with weight"],
    ["track: [{ process: nginx, maxRunning: 0 }]", "maxRunning: must be at least minRunning, which is 1"],
    ["track: [{ process: /usr/sbin/nginx }]", "process: must be the name of a process"],
    ["track: [{ number: n }]", "number: must be an absolute path"],
    ["virtualRoutes: [{ to: default }]", "virtualRoutes[0]: must have via or device"],
    [
      "virtualRoutes: [{ to: 10.0.0.0/8, type: blackhole, via: 10.0.0.1 }]",
      "via: has no sense with blackhole",
    ],
    ['virtualRoutes: [{ to: "fd00::/8", device: eth0 }]', "to: must be IPv4 as the addresses are"],
    [
      'virtualRules: [{ from: "fd00::/8", table: 1, priority: 1 }]',
      "from: must be IPv4 as the addresses are",
    ],
    ["virtualRules: [{ from: 10.0.0.0/8, priority: 1 }]", "table: "],
    ["track: [{ file: etc }]", "file: must be an absolute path"],
    ["track: [{ exec: ping }]", 'exec: must be an absolute path, not "ping"'],
    ["transport: vrrp1", "transport: must be one of udp, vrrp3, vrrp2"],
    ["transport: vrrp3, advertInterval: 41s", "advertInterval: must be 10ms to 40950ms in steps of 10ms"],
    ["transport: vrrp2, advertInterval: 100ms", "advertInterval: must be 1s to 255s in whole seconds"],
    ["transport: vrrp2, advertInterval: 1500ms", "advertInterval: must be 1s to 255s in whole seconds"],
    ["transport: vrrp2, advertInterval: 256s", "in steps of 10ms; with vrrp2 1s to 255s"],
    ["virtualMac: true", "virtualMac: has no sense with udp"],
    ["transport: vrrp3, virtualMac: true, peers: [203.0.113.2]", "virtualMac: has no sense with peers"],
    ["password: hunter2", "password: has no sense with udp"],
    ["transport: vrrp3, password: hunter2", "password: has no sense with vrrp3"],
    ["transport: vrrp2, password: hunter2hunter2", "password: must be 1 to 8 characters"],
    ["transport: vrrp2, password: é", "password: must be 1 to 8 characters"],
    ["priority: 10", "must have either owners or priority, and has both"],
    ["peers: [lb2]", "must be an IP address"],
    ["track: [{ pool: none }]", 'pool: names no pool: "none"'],
    ["track: [{ listener: none }]", 'listener: names no listener: "none"'],
    ['peers: ["fd00::1"]', "peers: must be IPv4 as the addresses are"],
  ];
  for (const [field, message] of cases) {
    const told = words(await errors(vrrp(PAIR, KEYS, field)));
    assertEquals([told.length, told[0]?.includes(message)], [1, true], `${field}: ${told.join("; ")}`);
  }
});

Deno.test("VrrpSchema() a secret that is too short is refused and not shown", async () => {
  const told = await load(vrrp(PAIR, 'keys: [{ id: 1, secret: "${K}" }]'), { env: { K: "hunter2hunter2" } });
  assert("problems" in told);
  assertEquals(told.problems.map(({ message }) => message), ["must be at least 16 characters"]);
  assertNotMatch(JSON.stringify(told), /hunter2/);
});

Deno.test("checkVrrp() a node that is neither an owner nor under nodes is an error, an owner needs no overlay", async () => {
  assertEquals(words(await errors(vrrp(PAIR, KEYS), { node: "lb9" })), [
    'vrrp.instances[0].owners: must name this node, "lb9" (--node, TANDEM_NODE), or it must stand under nodes: lb1, lb2',
  ]);
  const overlaid = `${vrrp(PAIR, KEYS)}\nnodes: { lb2: { workers: 2 } }`;
  for (const node of ["lb1", "lb2"]) assertEquals(await errors(overlaid, { node }), []);
  assertEquals((await errors(overlaid, { node: "lb9" })).length, 1);
});

Deno.test("checkVrrp() instances must not share a name, an id on one interface, or disagree on its keys", async () => {
  const two = (...fields: string[]) =>
    `${SMALLEST}\nvrrp:\n  instances:\n    - { name: a, ${REST}, ${PAIR}, ${KEYS} }\n    - { ${
      fields.join(", ")
    } }`;
  const other = 'interface: eth0, routerId: 52, addresses: ["203.0.113.11/24"]';
  assertEquals(await errors(two("name: b", other, PAIR, KEYS), { node: "lb1" }), []);
  assertEquals(
    words(await errors(two("name: a", other.replace("52", "51"), PAIR, "keys: []"), { node: "lb1" })),
    [
      "vrrp.instances[1].name: is the name of vrrp.instances[0] already",
      "vrrp.instances[1].routerId: is the id of vrrp.instances[0] on the same interface already",
      "vrrp.instances[1].keys: must have the same keys as vrrp.instances[0], which is on the same interface",
    ],
  );
  const peers = two("name: b", other, PAIR, KEYS, "peers: [10.0.0.9]");
  assertEquals(words(await errors(peers, { node: "lb1" })), [
    "vrrp.instances[1].peers: must have the same peers as vrrp.instances[0], which is on the same interface",
  ]);
  const wire = peers.replaceAll(KEYS, "transport: vrrp3");
  assertEquals(await errors(wire, { node: "lb1" }), [], "VRRP itself has a socket for each list of peers");
});

Deno.test("checkVrrp() warns of what nobody signs and of what can never fail over", async () => {
  const cases: [string[], string][] = [
    [[PAIR], "has no keys"],
    [["owners: [lb1]", KEYS], "only one node takes part"],
    [
      [PAIR, KEYS, "track: [{ listener: web, weight: -10 }]"],
      "the weights can never move the address from lb1",
    ],
    [[PAIR, KEYS, "track: [{ pool: app, minHealthy: 2 }]"], "it is never healthy"],
  ];
  for (const [fields, message] of cases) {
    const told = words(await warnings(vrrp(...fields), { node: "lb1" }));
    assertEquals([told.length, told[0]?.includes(message)], [1, true], told.join("; "));
  }
  assertEquals(await warnings(vrrp(PAIR, KEYS), { node: "lb1" }), []);
});

Deno.test("checkVrrp() compares the priorities that overlays give the nodes", async () => {
  const nodes = (one: number, two: number) =>
    `${
      vrrp(KEYS, "priority: 100")
    }\nnodes:\n  lb1: { vrrp: { instances: { edge: { priority: ${one} } } } }\n` +
    `  lb2: { vrrp: { instances: { edge: { priority: ${two} } } } }`;
  assertEquals(await warnings(nodes(200, 100), { node: "lb1" }), []);
  const [told] = words(await warnings(nodes(90, 90), { node: "lb1" }));
  assert(told?.includes("lb1 and lb2 have the same priority 90"), told ?? "no warning");
  assertEquals(await warnings(vrrp(KEYS, "priority: 100"), { node: "lb1" }), []);
});

Deno.test("checkVrrp() scriptUser names a user of the machine, where the users are known", async () => {
  const accounts = parseAccounts("nobody:x:65534:65534::/:\n", "daemon:x:1:\n");
  const text = (user: string) => `${SMALLEST}\nvrrp:\n  scriptUser: ${user}`;
  for (const user of ["nobody", "nobody:daemon"]) assertEquals(await errors(text(user), { accounts }), []);
  assertEquals(await errors(text("nobdy"), { accounts }), [
    '4:15 «nobdy» vrrp.scriptUser: names no user of this machine: "nobdy"; did you mean "nobody"?',
  ]);
  assertEquals(await errors(text("nobody:wheel"), { accounts }), [
    '4:15 «nobody:wheel» vrrp.scriptUser: names no group of this machine: "wheel"',
  ]);
  assertEquals(await errors(text("nobdy")), []);
  assertEquals(words(await errors(text('"a:b:c"'), { accounts })), [
    'vrrp.scriptUser: must be the name of a user, or user:group, not "a:b:c"',
  ]);
});

Deno.test("checkVrrp() warns of what is tracked without any effect", async () => {
  const cases: [string, string][] = [
    ["{ listener: web, weight: -60 }, { interface: eth1, weight: 0 }", "track[1].weight: 0 changes nothing"],
    ["{ interface: eth0 }", "track[0].interface: is the instance's own"],
  ];
  for (const [track, message] of cases) {
    const told = words(await warnings(vrrp(PAIR, KEYS, `track: [${track}]`), { node: "lb1" }));
    assertEquals([told.length, told[0]?.includes(message)], [1, true], told.join("; "));
  }
  assertEquals(await warnings(vrrp(PAIR, KEYS, "track: [{ interface: eth1 }]"), { node: "lb1" }), []);
});

Deno.test("checkVrrp() warns of an address at which no listener answers", async () => {
  const bound = (bind: string) => vrrp(PAIR, KEYS).replace('":80"', bind);
  for (const bind of ['"0.0.0.0:80"', '"[::]:80"', '"203.0.113.10:80"', '["127.0.0.1:80", ":81"]']) {
    assertEquals(await warnings(bound(bind), { node: "lb1" }), []);
  }
  const [told] = await warnings(bound('"203.0.113.1:80"'), { node: "lb1" });
  assert(told?.includes("addresses: no listener answers there"), told ?? "no warning");
  const six = bound('"0.0.0.0:80"').replace("203.0.113.10/24", "fd00::10/64");
  assertEquals((await warnings(six, { node: "lb1" })).length, 1);
});

Deno.test("checkVrrp() compares the ids that overlays give the nodes", async () => {
  const edge = (id: number) => `vrrp: { instances: { edge: { routerId: ${id} } } }`;
  const nodes = (one: string, two: string) =>
    `${vrrp(PAIR, KEYS)}\nnodes:\n  lb1: { ${one} }\n  lb2: { ${two} }`;
  assertEquals(await warnings(nodes(edge(7), edge(7)), { node: "lb1" }), []);
  assertEquals(
    words(await warnings(nodes(edge(7), edge(8)), { node: "lb1" })),
    [
      "vrrp.instances.edge.routerId: must be the same on all nodes, and is 7 on lb1, 8 on lb2: each takes the address",
    ].map((one) => one.replace("vrrp.instances.edge", "nodes.lb1.vrrp.instances.edge")),
  );
  const other = `${
    vrrp(PAIR, KEYS).replace(
      /\] \}$/,
      `, { name: other, ${REST.replace("51", "52")}, ${PAIR}, ${KEYS} }] }`,
    )
  }\nnodes:\n  lb1: { vrrp: { instances: { other: null } } }\n` +
    "  lb2: { vrrp: { instances: { edge: null, other: { routerId: 51 } } } }";
  const told = words(await warnings(other, { node: "lb1" }));
  assert(told.some((one) => one.includes("is the id of instance other on lb2 too")), told.join("; "));
});

Deno.test("checkVrrp() unadvertised addresses are of either family, and none stands there twice", async () => {
  const { vrrp: { instances: [edge] } } = await good(
    vrrp(PAIR, KEYS, 'unadvertised: ["203.0.113.11/24", "fd00::9/64"]'),
    { node: "lb1" },
  );
  assertEquals(edge!.unadvertised.map(({ address }) => address), ["203.0.113.11", "fd00::9"]);
  const cases: [string, string][] = [
    ['unadvertised: ["203.0.113.10"]', "vrrp.instances[0].unadvertised[0]: stands here twice"],
    [
      'transport: vrrp3, virtualMac: true, unadvertised: ["fd00::9"]',
      "vrrp.instances[0].unadvertised: must be IPv4 as the addresses are, with virtualMac",
    ],
  ];
  for (const [fields, message] of cases) {
    assertEquals(words(await errors(vrrp(PAIR, KEYS, fields), { node: "lb1" })), [message]);
  }
  const many = vrrp(PAIR, KEYS).replace(
    '"203.0.113.10/24"',
    Array.from({ length: 74 }, (_, at) => `"fd00::${at}"`).join(),
  );
  assertEquals(words(await errors(many, { node: "lb1" })), [
    "vrrp.instances[0].addresses: must be at most 73, which fit an advert: the others can be unadvertised",
  ]);
});

Deno.test("checkVrrp() version 2 is for IPv4 alone, and what VRRP itself cannot do is said", async () => {
  const six =
    `${SMALLEST}\nvrrp: { instances: [{ name: edge, interface: eth0, routerId: 51, ${PAIR}, ${KEYS}, ` +
    `addresses: ["fd00::1/64"], transport: vrrp2 }] }`;
  assertEquals(words(await errors(six, { node: "lb1" })), [
    "vrrp.instances[0].transport: must be vrrp3 for IPv6 addresses: version 2 knows only IPv4",
  ]);
  const cases: [string, string][] = [
    [six.replace("vrrp2", "vrrp3"), "addresses: should begin with a link-local address"],
    [vrrp(PAIR, KEYS, "transport: vrrp2, password: hunter2"), "password: protects nothing"],
    [vrrp(PAIR, "transport: vrrp3"), "has no keys: its nodes do not tell each other how well they are"],
  ];
  for (const [text, message] of cases) {
    const told = words(await warnings(text, { node: "lb1" }));
    assertEquals([told.length, told[0]?.includes(message)], [1, true], told.join("; "));
    assertNotMatch(told.join(), /hunter2/);
  }
  // One node beside routers of others: there is nobody to report to.
  for (
    const fields of [
      "priority: 100, transport: vrrp3",
      "priority: 100, transport: vrrp2, advertInterval: 255s",
    ]
  ) {
    assertEquals(await warnings(vrrp(fields), { node: "lb1" }), []);
    assertEquals(await errors(vrrp(fields), { node: "lb1" }), []);
  }
});

Deno.test("checkVrrp() a virtual MAC is one of a node and a family", async () => {
  const two = (...all: string[]) =>
    `${SMALLEST}\nvrrp: { instances: [${
      all.map((one, at) => `{ name: n${at}, priority: 9, transport: vrrp3, ${one} }`)
    }] }`;
  const one = 'interface: eth0, routerId: 5, addresses: ["10.0.0.1"], virtualMac: true';
  assertEquals(await errors(two(one, one.replace("10.0.0.1", "fe80::1"))), []);
  assertEquals(words(await errors(two(one, one.replace("eth0", "eth1")))), [
    "vrrp.instances[1].routerId: is the id of vrrp.instances[0] already, and so would be its virtual MAC",
  ]);
  assertEquals(await errors(two(one, one.replace("eth0", "eth1").replace(", virtualMac: true", ""))), []);
});

Deno.test("checkVrrp() a sync group has several instances, of one interval, and the same owners", async () => {
  const two = (one: string, other: string) =>
    `${SMALLEST}\nvrrp: { instances: [\n{ name: a, ${REST}, ${KEYS}, syncGroup: g, ${one} },\n` +
    `{ name: b, interface: eth1, routerId: 52, addresses: ["10.0.0.1/24"], ${KEYS}, ${other} }] }`;
  const about = async (one: string, other: string) =>
    words(await warnings(two(one, other))).filter((told) => told.includes("sync"));
  assertEquals(await about(PAIR, `${PAIR}, syncGroup: g`), []);
  assertEquals((await about(PAIR, PAIR)).length, 1);
  assert((await about(PAIR, PAIR))[0]!.includes("has no other instance"));
  assert((await about(PAIR, "owners: [lb2, lb1], syncGroup: g"))[0]!.includes("owners: should be the same"));
  const [told] = words(await errors(two(PAIR, `${PAIR}, syncGroup: g, advertInterval: 2s`)));
  assert(told!.includes("must be the same as that of"), told);
});
