import { statusTable } from "../../mod/cli/status_table.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { SAMPLE_LIMIT, sampleServer, sampleStatus } from "../observe/sample_status.ts";

Deno.test("statusTable() shows the node, its listeners and each pool's servers in columns", () => {
  const servers = [
    sampleServer(),
    sampleServer({
      name: "b",
      address: "10.0.0.112:8080",
      state: "down",
      admin: "drain",
      since: 0,
      reason: "probe failed: refused",
      weight: 0.504,
      backup: true,
      active: 12,
    }),
  ];
  const pools = [{ name: "app", balance: "first", queued: 4, servers }];
  assertEquals(
    statusTable(sampleStatus({ pools }), 1_045_000),
    `lb1: serving, generation 7, up 1h2m, 1 worker, tandem 0.1.0
access log: 2 lines were lost
listener web (http) on 0.0.0.0:8080: 2 connections, 3 requests, 17 to a fallback

pool app (first, 4 waiting)
  server      address          state         since  weight  active  requests  errors  reason
  a           10.0.0.11:8080   up              45s       1       3         1      39  probe succeeded: 200
  b (backup)  10.0.0.112:8080  down, drain  17m25s     0.5      12         1      39  probe failed: refused
`,
  );
});

Deno.test("statusTable() shows names, what is wrong with them, and pools that have no servers for it", () => {
  const members = [{ host: "10.0.0.1", port: null, weight: null, backup: false }];
  const reason = "no such name";
  const text = statusTable(
    sampleStatus({
      pools: [{ name: "app", balance: "first", queued: 0, servers: [] }],
      names: [
        { dns: "a.test", type: "A", state: "good", reason: "", members, ageMs: 1000, nextInMs: 1000 },
        { dns: "b.test", type: "SRV", state: "stale", reason, members, ageMs: 65_000, nextInMs: 1000 },
        { dns: "c.test", type: "host", state: "failing", reason, members: [], ageMs: null, nextInMs: null },
      ],
    }),
    0,
  );
  assertStringIncludes(
    text,
    `name a.test (A): 1 address
name b.test (SRV): 1 address, 1m5s old: no such name
name c.test (A and AAAA): 0 addresses: no such name

pool app (first): no servers
`,
  );
});

Deno.test("statusTable() says how many sessions a table holds", () => {
  const sessions = { by: "table" as const, entries: 1, size: 8, hits: 0, misses: 1, moved: 0, evictions: 0 };
  const pools = [{ name: "app", balance: "first", queued: 0, sessions, servers: [sampleServer()] }];
  assertStringIncludes(statusTable(sampleStatus({ pools }), 0), "pool app (first, 1 session)\n");
});

Deno.test("statusTable() prints no control characters of a node's words", () => {
  const servers = [sampleServer({ reason: "a\x1b[31mb\nc\u009b" })];
  const text = statusTable(
    sampleStatus({ pools: [{ name: "app", balance: "first", queued: 0, servers }] }),
    0,
  );
  assertStringIncludes(text, "a?[31mb c?\n");
});

Deno.test("statusTable() says what limits let through", () => {
  const limits = [SAMPLE_LIMIT, { ...SAMPLE_LIMIT, name: "try", dryRun: true, delayed: 0 }];
  const lines = statusTable(sampleStatus({ limits }), 0).split("\n");
  assertEquals(lines.filter((line) => line.startsWith("limit")), [
    "limit rate listener web: 1 key, 2 passed, 3 delayed, 4 refused",
    "limit rate try: 1 key, 2 passed, 5 would be refused (dry run)",
  ]);
});

Deno.test("statusTable() says when a breaker is not closed", () => {
  const text = (state: "closed" | "open" | "halfOpen") =>
    statusTable(
      sampleStatus({
        pools: [{
          name: "app",
          balance: "first",
          queued: 0,
          breaker: { state, opened: 1 },
          servers: [sampleServer()],
        }],
      }),
      0,
    );
  assertStringIncludes(text("closed"), "pool app (first)\n");
  assertStringIncludes(text("open"), "pool app (first, breaker open)\n");
  assertStringIncludes(text("halfOpen"), "pool app (first, breaker half open)\n");
});

Deno.test("statusTable() says what has become of certificates by ACME", () => {
  const { acme: _, ...status } = sampleStatus();
  const name = (name: string, expiresAt: number | null) =>
    ({ name, state: "issued", expiresAt, nextAt: 0, failures: 0, lastError: "" }) as const;
  const names = [name("a.test", 3600_000), name("b.test", -1), name("c.test", null)];
  const text = statusTable({ ...status, acme: { active: true, names } }, 0);
  assertStringIncludes(
    text,
    `certificate a.test (acme): issued, expires in 1h, next attempt now
certificate b.test (acme): issued, expired, next attempt now
certificate c.test (acme): issued, self-signed, next attempt now
`,
  );
});

Deno.test("statusTable() says that the access log cannot be written, and nothing where all is well", () => {
  const of = (accessLinesDropped: number, accessLogProblem = "") =>
    statusTable(sampleStatus({ accessLinesDropped, accessLogProblem }), 0).split("\n")[1]!;
  assertStringIncludes(of(0), "listener web");
  assertEquals(of(1), "access log: 1 line was lost");
  assertEquals(
    of(5, "file:/var/log/a: No space left on device"),
    "the access log cannot be written (file:/var/log/a: No space left on device): 5 lines are lost",
  );
});

Deno.test("statusTable() on a narrow terminal puts what does not fit below, and cuts nothing", () => {
  const servers = [sampleServer({ state: "down", reason: "probe failed: connection refused by the server" })];
  const pools = [{ name: "app", balance: "first", queued: 0, servers }];
  const text = statusTable(sampleStatus({ pools }), 1_045_000, 60);
  assertStringIncludes(
    text,
    `pool app (first)
  server  address         state  since  weight  active
  a       10.0.0.11:8080  down     45s       1       3
      requests 1, errors 39: probe failed: connection
      refused by the server
`,
  );
  for (const columns of [20, 40, 60, 80, 100]) {
    const words = statusTable(sampleStatus({ pools }), 1_045_000, columns).replace(/\s+/g, " ");
    assertStringIncludes(words, "probe failed: connection refused by the server");
  }
});

Deno.test("statusTable() tells of certificates of files that expire within 21 days, or have", () => {
  const DAY = 24 * 3600_000;
  const { listeners, ...status } = sampleStatus();
  const [shown] = listeners[0]!.certificates;
  const ca = { use: "pools.app.tls.ca", name: "CN=us", issuer: "CN=us", file: "ca.pem", fingerprint: "cd" };
  const textAt = (expiresAt: number) =>
    statusTable({
      ...status,
      listeners: [{ ...listeners[0]!, certificates: [{ ...shown!, expiresAt }] }],
      certificates: [{ ...ca, expiresAt: -DAY }],
    }, 0);
  assertStringIncludes(
    textAt(19 * DAY),
    `certificate shop.example.com of web: expires in 19d
certificate CN=us of pools.app.tls.ca: has expired
`,
  );
  assert(!textAt(22 * DAY).includes("certificate shop.example.com"));
});
