import { listOverlays } from "../../mod/config/load.ts";
import { assertEquals } from "../assert.ts";
import { errors, good, LISTENER, POOL, SMALLEST } from "./reading.ts";

const BASE = `listeners:
  - { name: web, bind: ":80", pool: app, timeouts: { head: 1s, body: 2s } }
  - { name: db, bind: ":81", pool: app, protocol: tcp }
pools:
  app:
    balance: first
    servers: ["10.0.0.1:80", { name: b, address: "10.0.0.2:80" }]
`;

async function servers(overlay: string): Promise<unknown[]> {
  const config = await good(`${BASE}nodes:\n  n1: { pools: { app: { servers: ${overlay} } } }`, {
    node: "n1",
  });
  return config.pools.app!.servers.map((
    { name, weight, source },
  ) => [name, weight, Object.values(source).join(" ")]);
}

Deno.test("applyOverlays() merges maps, and list items by name", async () => {
  const config = await good(
    `${BASE}nodes:\n  n1: { listeners: { web: { bind: ":8080", timeouts: { body: 5s } } }, pools: { app: { balance: random } } }`,
    { node: "n1" },
  );
  const [web, db] = config.listeners;
  assertEquals([web?.bind[0]?.port, web?.timeouts.head, web?.timeouts.body], [8080, 1000, 5000]);
  assertEquals([db?.bind[0]?.port, config.pools.app?.balance], [81, "random"]);
});

Deno.test("applyOverlays() changes, adds, removes and replaces items of a list", async () => {
  assertEquals(await servers("{ b: { weight: 5 } }"), [["10.0.0.1:80", 1, "address 10.0.0.1 80"], [
    "b",
    5,
    "address 10.0.0.2 80",
  ]]);
  assertEquals(await servers('{ "10.0.0.1:80": { weight: 5 } }'), [
    ["10.0.0.1:80", 5, "address 10.0.0.1 80"],
    ["b", 1, "address 10.0.0.2 80"],
  ]);
  assertEquals(await servers('{ b: null, c: { address: "10.0.0.3:80" } }'), [[
    "10.0.0.1:80",
    1,
    "address 10.0.0.1 80",
  ], ["c", 1, "address 10.0.0.3 80"]]);
  assertEquals(await servers('[{ name: b, weight: 3 }, { name: c, address: "10.0.0.3:80" }]'), [
    ["10.0.0.1:80", 1, "address 10.0.0.1 80"],
    ["b", 3, "address 10.0.0.2 80"],
    ["c", 1, "address 10.0.0.3 80"],
  ]);
  assertEquals(await servers('["10.0.0.9:80"]'), [["10.0.0.9:80", 1, "address 10.0.0.9 80"]]);
});

Deno.test("applyOverlays() null removes, and an empty overlay changes nothing", async () => {
  const removed = await good(`${BASE}nodes: { n1: { listeners: { db: null } } }`, { node: "n1" });
  assertEquals(removed.listeners.map(({ name }) => name), ["web"]);
  const same = await good(BASE);
  for (const nodes of ["nodes: { n1: {} }", "nodes:\n  n1:", "nodes: {}", "contexts: { x: {} }\nnodes: {}"]) {
    assertEquals(await good(BASE + nodes, { node: "n1" }), same);
  }
  assertEquals(await good(`${BASE}nodes: { n1: { listeners: { db: null } } }`), same);
});

Deno.test("applyOverlays() the context comes first, then the node", async () => {
  const text = `${BASE}
contexts: { lab: { workers: 1, log: { level: debug } } }
nodes: { n1: { workers: 2 } }`;
  const config = await good(text, { node: "n1", context: "lab" });
  assertEquals([config.workers, config.log.level], [2, "debug"]);
});

Deno.test("applyOverlays() a problem in an overlay points at the overlay's line", async () => {
  const node = (text: string) => errors(`${SMALLEST}\nnodes:\n  n1:\n    ${text}`, { node: "n1" });
  assertEquals(await node("listeners: { web: { bnd: 1 } }"), [
    '5:25 «bnd» nodes.n1.listeners.web.bnd: is not a known key; did you mean "bind"?',
  ]);
  assertEquals(await node("listeners:\n      web: { bind: x }"), [
    '6:20 «x» nodes.n1.listeners.web.bind: must be ip:port, [v6]:port or :port, such as 0.0.0.0:8080, not "x"',
  ]);
  assertEquals(await node('listeners: { more: { bind: ":80", pool: app } }'), [
    '5:32 «":80"» nodes.n1.listeners.more.bind: is the address of listener "web" already',
  ]);
  assertEquals(await node("listeners: { web: { pool: nope } }"), [
    '5:31 «nope» nodes.n1.listeners.web.pool: names no pool: "nope" (known: app)',
  ]);
  assertEquals(
    await node(
      'pools: { app: { servers: [{ name: "10.0.0.1:80", weight: 999 }, { name: b, address: "10.0.0.2" }] } }',
    ),
    [
      "5:62 «999» nodes.n1.pools.app.servers[0].weight: must be a whole number from 0 to 256, not 999",
      '5:89 «"10.0.0.2"» nodes.n1.pools.app.servers[1].address: must be host:port or [v6]:port, such as 10.0.0.11:8080, not "10.0.0.2"',
    ],
  );
  assertEquals(await node("pools: { app: null }"), [
    '1:45 «app» listeners[0].pool: names no pool: "app" (there are none)',
  ]);
  assertEquals(
    await errors(`${SMALLEST}\ncontexts: { lab: { log: { level: loud } } }`, { context: "lab" }),
    ['3:34 «loud» contexts.lab.log.level: must be one of debug, info, warning, error, not "loud"'],
  );
});

Deno.test("applyOverlays() a node or context that the file does not name is a slip", async () => {
  assertEquals(await errors(`${SMALLEST}\nnodes: { lb1: {}, lb2: {} }`, { node: "lb3" }), [
    '3:1 «nodes» nodes: must name this node, "lb3" (--node, TANDEM_NODE), and has lb1, lb2; did you mean "lb1"?',
  ]);
  assertEquals(await errors(`${SMALLEST}\ncontexts: { development: {} }`, { context: "developmnt" }), [
    '3:1 «contexts» contexts: must name this context, "developmnt" (--context, TANDEM_CONTEXT), and has development; did you mean "development"?',
  ]);
  assertEquals(await errors(SMALLEST, { context: "x" }), [
    '1:1 «l» must name this context, "x" (--context, TANDEM_CONTEXT), and has none',
  ]);
  assertEquals(await errors(SMALLEST, { node: "anyone" }), []);
});

Deno.test("applyOverlays() an overlay is a map of changes without overlays of its own", async () => {
  assertEquals(await errors(`${SMALLEST}\nnodes: { n1: 5 }`, { node: "n1" }), [
    "3:14 «5» nodes.n1: must be a map of changes, not 5",
  ]);
  assertEquals(await errors(`${SMALLEST}\nnodes: [n1]`, { node: "n1" }), [
    "3:8 «[n1]» nodes: must be a map of node names, not a list",
  ]);
  assertEquals(await errors(`${SMALLEST}\nnodes: { n1: { nodes: {}, contexts: {} } }`, { node: "n1" }), [
    "3:16 «nodes» nodes.n1.nodes: cannot stand in an overlay",
    "3:27 «contexts» nodes.n1.contexts: cannot stand in an overlay",
  ]);
});

Deno.test("listOverlays() names the nodes and contexts of a file, and none of one that cannot be read", async () => {
  const text = `${LISTENER}\n${POOL}\nnodes: { a: {}, b: {} }\ncontexts: { lab: {} }`;
  assertEquals(await listOverlays(text, "a.yaml"), { nodes: ["a", "b"], contexts: ["lab"] });
  for (const bad of ["", "a: [", "5", "nodes: 5"]) {
    assertEquals(await listOverlays(bad, "a.yaml"), { nodes: [], contexts: [] });
  }
});
