/** What a route does where something takes too long or fails: what may be said of it, and what it comes to. */
import { buildSnapshot } from "../../mod/config/build.ts";
import { RowAllocator } from "../../mod/config/rows.ts";
import type { ListenerSnapshot } from "../../mod/config/snapshot.ts";
import { assertEquals } from "../assert.ts";
import { errors, good, listenerWith, warnings } from "./reading.ts";

async function built(...lines: string[]): Promise<ListenerSnapshot> {
  const snapshot = buildSnapshot(await good(listenerWith(...lines)), {
    generation: 1,
    node: "n1",
    directory: ".",
    rows: new RowAllocator({ listeners: 4, pools: 4, servers: 16 }),
    resolve: () => [{ host: "10.0.0.1", port: 80 }],
  });
  return snapshot.listeners[0]!;
}

Deno.test("buildSnapshot() a route has the time-outs that it names and the listener's for the rest", async () => {
  const { timeouts, routes } = await built(
    "timeouts: { request: 2m, body: 5s }",
    "routes:",
    "  - { match: { path: /a }, timeouts: { request: 0s, response: 1s, queue: 2s }, pool: app }",
    "  - { match: { path: /b }, timeouts: { tunnel: 3s }, pool: app }",
    "  - { pool: app }",
  );
  assertEquals([timeouts.requestMs, timeouts.bodyMs], [120_000, 5000]);
  assertEquals(routes.map((route) => route.timeouts), [
    { requestMs: 0, bodyMs: 5000, tunnelMs: 3_600_000 },
    { requestMs: 120_000, bodyMs: 5000, tunnelMs: 3000 },
    undefined,
  ]);
  assertEquals(routes.map((route) => route.terms), [
    { timeouts: { responseMs: 1000 }, queue: { timeoutMs: 2000 } },
    undefined,
    undefined,
  ]);
});

Deno.test("loadConfig() refuses time-outs of routes where there are no requests", async () => {
  const tcp = listenerWith("protocol: tcp", "routes: [{ timeouts: { connect: 1s }, pool: app }]");
  assertEquals(await errors(tcp), [
    "5:16 «timeouts» listeners[0].routes[0].timeouts: cannot stand on a tcp listener, which sees no requests",
  ]);
  assertEquals(await warnings(listenerWith("protocol: tcp", "timeouts: { request: 1s }", "pool: app")), [
    "5:17 «request» listeners[0].timeouts.request: has no effect on a tcp listener",
  ]);
});

Deno.test("loadConfig() warns of time-outs towards servers beside what needs none", async () => {
  const text = listenerWith(
    "routes: [{ respond: { status: 204 }, timeouts: { request: 1s, response: 1s, queue: 1s } }]",
  );
  assertEquals(await warnings(text), [
    "4:67 «response» listeners[0].routes[0].timeouts.response: has no effect beside respond: no server gets the request",
    "4:81 «queue» listeners[0].routes[0].timeouts.queue: has no effect beside respond: no server gets the request",
    "5:10 «app» pools.app: is used by no listener",
  ]);
});
