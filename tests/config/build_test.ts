import { buildSnapshot, type ResolvedAddress } from "../../mod/config/build.ts";
import { RowAllocator } from "../../mod/config/rows.ts";
import type { Snapshot } from "../../mod/config/snapshot.ts";
import { directoryOf, pathFrom } from "../../mod/config/file_paths.ts";
import { assertEquals, assertThrows } from "../assert.ts";
import { good, LISTENER, SMALLEST } from "./reading.ts";
import { LISTENER_TIMEOUTS, POOL_TIMEOUTS } from "./timeouts.ts";

type Resolve = (pool: string, server: number) => readonly ResolvedAddress[];

const one: Resolve = () => [{ host: "10.0.0.1", port: 80 }];

function allocator(servers = 100): RowAllocator {
  return new RowAllocator({ listeners: 10, pools: 10, servers });
}

async function built(text: string, resolve = one, rows = allocator()): Promise<Snapshot> {
  return buildSnapshot(await good(text), {
    generation: 7,
    node: "n1",
    directory: "/etc/tandem",
    resolve,
    rows,
  });
}

Deno.test("buildSnapshot() spells out the smallest configuration", async () => {
  assertEquals(await built(SMALLEST), {
    generation: 7,
    node: "n1",
    listeners: [{
      name: "web",
      row: 0,
      binds: [{ host: "::", port: 80 }],
      protocol: "http",
      trustedProxies: [],
      timeouts: LISTENER_TIMEOUTS,
      limits: { head: 16_384, headers: 100, body: 0, bodyRate: 0, connections: 20_000 },
      tls: null,
      hsts: "",
      routes: [{
        match: { hosts: [], methods: [], headers: [], query: [] },
        action: { kind: "pool", pool: "app" },
        label: "*",
        row: 10,
      }],
    }],
    pools: [{
      name: "app",
      row: 0,
      balance: "roundRobin",
      hashOn: { kind: "sourceIp", name: "" },
      hashMethod: "ring",
      servers: [{
        name: "10.0.0.1:80",
        host: "10.0.0.1",
        port: 80,
        weight: 1,
        maxConnections: 0,
        backup: false,
        slowStartMs: 0,
        slot: 0,
      }],
      check: null,
      passive: {
        failures: 5,
        errorsInRow: 0,
        serverErrors: 0,
        latencyFactor: 0,
        latencyMarginMs: 50,
        minRequests: 20,
        windowMs: 10_000,
        ejectForMs: 10_000,
        maxEjected: 0.5,
      },
      retry: { attempts: 2, on: ["connect", "empty"], budget: 0.2 },
      timeouts: POOL_TIMEOUTS,
      queue: { size: 1000, timeoutMs: 5000 },
      whenAllDown: "fail",
    }],
    log: { level: "info", format: "json", access: "off" },
  });
});

Deno.test("buildSnapshot() spells out routes, checks and what is switched off", async () => {
  const snapshot = await built(`
listeners:
  - name: web
    bind: ["127.0.0.1:80", "[::1]:0"]
    trustedProxies: [10.0.0.0/8, 192.0.2.1]
    routes:
      - match: { host: WWW.Example.org, path: "/a/*", method: [get], headers: { X-A: b }, query: { v: "2" } }
        redirect: { to: /b }
      - respond: { body: hello }
pools:
  app:
    balance: hash
    hashOn: header:X-User
    servers: [{ address: "10.0.0.1:80", weight: 3, maxConnections: 9, backup: true, slowStart: 30s }]
    check: { type: exec, command: [/bin/true, -x], interval: 4s, timeout: 500ms }
    passive: false
    retry: { on: [timeout, 503] }
log: { format: text, access: haproxy, level: debug }
`);
  const [listener] = snapshot.listeners;
  assertEquals(listener?.binds, [{ host: "127.0.0.1", port: 80 }, { host: "::1", port: 0 }]);
  assertEquals(listener?.trustedProxies, ["10.0.0.0/8", "192.0.2.1/32"]);
  assertEquals(listener?.routes, [
    {
      match: {
        hosts: ["www.example.org"],
        methods: ["GET"],
        headers: [["x-a", "b"]],
        query: [["v", "2"]],
        path: "/a/*",
      },
      action: { kind: "redirect", to: "/b", status: 308 },
      label: "www.example.org/a/*",
      row: 10,
    },
    {
      match: { hosts: [], methods: [], headers: [], query: [] },
      action: { kind: "respond", status: 200, body: "hello", contentType: "text/plain; charset=utf-8" },
      label: "*",
      row: 10,
    },
  ]);
  const [pool] = snapshot.pools;
  assertEquals([pool?.hashOn, pool?.passive, pool?.retry.on], [
    { kind: "header", name: "x-user" },
    null,
    ["timeout", 503],
  ]);
  assertEquals(pool?.check, {
    type: "exec",
    settings: { command: ["/bin/true", "-x"], expect: {} },
    port: 0,
    intervalMs: 4000,
    fastIntervalMs: 4000,
    timeoutMs: 500,
    rise: 2,
    fall: 3,
  });
  const [server] = pool?.servers ?? [];
  assertEquals([server?.weight, server?.maxConnections, server?.backup, server?.slowStartMs], [
    3,
    9,
    true,
    30_000,
  ]);
  assertEquals(snapshot.log, { level: "debug", format: "text", access: "haproxy" });
});

Deno.test("buildSnapshot() spells out what TLS is matched by, and who reads and sends PROXY headers", async () => {
  const { listeners, pools } = await built(`
listeners:
  - name: tls
    bind: ":443"
    protocol: tcp
    proxyProtocol: { from: [10.0.0.0/8, "::1"] }
    routes: [{ match: { sni: A.test }, pool: app }, { match: { alpn: [h2, h3] }, pool: app }, { pool: app }]
pools: { app: { servers: ["10.0.0.1:80"], proxyProtocol: v1 } }
`);
  assertEquals(listeners[0]?.proxyProtocol, { from: ["10.0.0.0/8", "::1/128"] });
  assertEquals(listeners[0]?.routes.map(({ match }) => match.tls), [
    { sni: ["a.test"], alpn: [] },
    { sni: [], alpn: ["h2", "h3"] },
    undefined,
  ]);
  assertEquals(pools[0]?.proxyProtocol, "v1");
});

Deno.test("buildSnapshot() probes send the header of their pool, unless they go to another port or say otherwise", async () => {
  const probes = async (pool: string, check: string) => {
    const text =
      `${LISTENER}\npools: { app: { servers: ["10.0.0.1:80"], ${pool} check: { type: tcp, ${check} } } }`;
    return (await built(text)).pools[0]?.check?.proxyProtocol;
  };
  assertEquals(await probes("", ""), undefined);
  assertEquals(await probes("", "proxyProtocol: true"), "v2");
  assertEquals(await probes("proxyProtocol: v1,", ""), "v1");
  assertEquals(await probes("proxyProtocol: v2,", "proxyProtocol: false"), undefined);
  assertEquals(await probes("proxyProtocol: v1,", "port: 8008"), undefined);
  assertEquals(await probes("proxyProtocol: v1,", "port: 8008, proxyProtocol: true"), "v1");
});

Deno.test("buildSnapshot() probes that ask for TLS begin plainly, with the certificates of pool or check", async () => {
  const probe = async (pool: string, check: string) => {
    const text = `${LISTENER}\npools: { app: { servers: ["10.0.0.1:80"], ${pool} check: { ${check} } } }`;
    const { startsTls, tls, tlsName } = (await built(text)).pools[0]!.check!;
    return [startsTls, tls?.verify, tlsName];
  };
  assertEquals(await probe("", "type: smtp, startTls: true"), [true, undefined, undefined]);
  assertEquals(await probe("", "type: postgres, startTls: true, tls: { serverName: a }"), [true, true, "a"]);
  assertEquals(await probe("tls: { verify: false },", "type: smtp, startTls: true"), [
    true,
    false,
    undefined,
  ]);
  assertEquals(await probe("tls: true,", "type: smtp"), [undefined, true, undefined]);
});

const NAMED = SMALLEST.replace(
  '"10.0.0.1:80"',
  '{ name: n, dns: app.internal, type: SRV, weight: 2 }, "10.0.0.9:80"',
);

Deno.test("buildSnapshot() sets what is live of one address of a name, and of no other", async () => {
  const pools =
    "pools: { app: { servers: [{ name: n, dns: app.internal, port: 80, weight: 2, state: drain }] } }";
  const snapshot = buildSnapshot(await good(`${LISTENER}\n${pools}`), {
    generation: 7,
    node: "n1",
    directory: "/etc/tandem",
    rows: allocator(),
    resolve: () => ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map((host) => ({ host, port: 80 })),
    live: {
      app: {
        "n#10.0.0.2": { at: 0, by: "", state: "ready" },
        "n#10.0.0.3": { at: 0, by: "", state: "maint", weight: 7 },
      },
    },
  });
  assertEquals(
    snapshot.pools[0]!.servers.map(({ name, state = "ready", weight }) => `${name} ${state} ${weight}`),
    [
      "n#10.0.0.1 drain 2",
      "n#10.0.0.2 ready 2",
      "n#10.0.0.3 maint 7",
    ],
  );
});

Deno.test("buildSnapshot() every address of a name is a server, named by its address once there are several", async () => {
  const names = async (addresses: readonly ResolvedAddress[]) => {
    const snapshot = await built(
      NAMED,
      (_, server) => server === 0 ? addresses : [{ host: "10.0.0.9", port: 80 }],
    );
    return snapshot.pools[0]?.servers.map((
      { name, host, port, weight, backup },
    ) => [name, host, port, weight, backup]);
  };
  const last = ["10.0.0.9:80", "10.0.0.9", 80, 1, false];
  assertEquals(await names([]), [last]);
  assertEquals(await names([{ host: "10.0.0.1", port: 81 }]), [["n", "10.0.0.1", 81, 2, false], last]);
  assertEquals(
    await names([
      { host: "10.0.0.1", port: 81, weight: 10 },
      { host: "FE80:0::1", port: 82, weight: 0, backup: true },
    ]),
    [["n#10.0.0.1:81", "10.0.0.1", 81, 20, false], ["n#[fe80::1]:82", "fe80::1", 82, 0, true], last],
  );
  assertEquals(await names([{ host: "10.0.0.1", port: 81 }, { host: "10.0.0.2", port: 81 }]), [
    ["n#10.0.0.1", "10.0.0.1", 81, 2, false],
    ["n#10.0.0.2", "10.0.0.2", 81, 2, false],
    last,
  ]);
});

Deno.test("buildSnapshot() gives two ports of one host two names", async () => {
  const snapshot = await built(
    NAMED,
    (_, server) =>
      server === 0
        ? [{ host: "10.0.0.1", port: 8001 }, { host: "10.0.0.1", port: 8002 }]
        : [{ host: "10.0.0.9", port: 80 }],
  );
  const names = snapshot.pools[0]?.servers.map(({ name }) => name);
  assertEquals(names, ["n#10.0.0.1:8001", "n#10.0.0.1:8002", "10.0.0.9:80"]);
});

Deno.test("buildSnapshot() keeps slots over reloads while pool, name and address stay", async () => {
  const rows = allocator();
  const slots = async (addresses: readonly string[]) => {
    const resolve: Resolve = (_, server) =>
      server === 0 ? addresses.map((host) => ({ host, port: 80 })) : [{ host: "10.0.0.9", port: 80 }];
    const { pools } = await built(NAMED, resolve, rows);
    return Object.fromEntries(pools[0]!.servers.map(({ host, slot }) => [host, slot]));
  };
  assertEquals(await slots(["10.0.0.1"]), { "10.0.0.1": 0, "10.0.0.9": 1 });
  assertEquals(await slots(["10.0.0.2", "10.0.0.1"]), { "10.0.0.2": 2, "10.0.0.1": 0, "10.0.0.9": 1 });
  assertEquals(await slots(["10.0.0.2"]), { "10.0.0.2": 2, "10.0.0.9": 1 });
  assertEquals(await slots(["10.0.0.3", "10.0.0.1"]), { "10.0.0.3": 3, "10.0.0.1": 0, "10.0.0.9": 1 });
});

Deno.test("buildSnapshot() the same server in two pools has two slots", async () => {
  const text = SMALLEST.replace("} }", '}, other: { servers: ["10.0.0.1:80"] } }');
  const { pools } = await built(text);
  assertEquals(pools.map((pool) => [pool.row, pool.servers[0]?.slot]), [[0, 0], [1, 1]]);
});

Deno.test("buildSnapshot() says what does not fit into shared memory", async () => {
  const config = await good(NAMED);
  const resolve: Resolve = () => [{ host: "10.0.0.1", port: 80 }];
  assertThrows(
    () => buildSnapshot(config, { generation: 1, node: "n", directory: ".", resolve, rows: allocator(1) }),
    Error,
    "room for 1 servers, those it replaces included",
  );
});

Deno.test("buildSnapshot() a root is seen from the directory of the configuration file", async () => {
  const routes = "[{ match: { path: /a }, files: { root: ./www } }, { files: { root: /srv/www } }]";
  const snapshot = await built(`listeners: [{ name: web, bind: ":80", routes: ${routes} }]`);
  const roots = snapshot.listeners[0]!.routes.map(({ action }) => action.kind === "files" && action.root);
  assertEquals(roots, ["/etc/tandem/./www", "/srv/www"]);
});

Deno.test("directoryOf() is the directory as the program sees it", () => {
  assertEquals(["tandem.yaml", "conf/t.yaml", "/t.yaml", "/etc/t.yaml"].map(directoryOf), [
    ".",
    "conf",
    "/",
    "/etc",
  ]);
  assertEquals(pathFrom("/", "www"), "/www");
});
