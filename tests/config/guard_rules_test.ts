/** The guards of listeners and routes: what may be said of them, and what it comes to. */
import { assertEquals } from "../assert.ts";
import { buildSnapshot } from "../../mod/config/build.ts";
import { RowAllocator } from "../../mod/config/rows.ts";
import type { ListenerSnapshot } from "../../mod/config/snapshot.ts";
import { errors, good, listenerWith, POOL, warnings } from "./reading.ts";

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

Deno.test("buildSnapshot() a route is guarded by its listener's access and its own, or by none", async () => {
  const { guards, routes } = await built(
    "access: { allow: [10.0.0.0/8, '::1'] }",
    "routes:",
    "  - { match: { path: /a }, access: { deny: all, allow: 10.1.0.0/16 }, pool: app }",
    "  - { match: { path: /b }, access: false, pool: app }",
    "  - { pool: app }",
  );
  const ofListener = { allow: ["10.0.0.0/8", "::1/128"], deny: [] };
  const own = { allow: ["10.1.0.0/16"], deny: ["0.0.0.0/0", "::/0"] };
  assertEquals(guards, { access: [ofListener] });
  assertEquals(routes.map((route) => route.guards), [
    { access: [ofListener, own] },
    undefined,
    { access: [ofListener] },
  ]);
});

Deno.test("loadConfig() refuses access that says nothing, or no addresses", async () => {
  assertEquals(await errors(listenerWith("access: {}", "pool: app")), [
    "4:13 «{}» listeners[0].access: must have allow or deny",
  ]);
  assertEquals(await errors(listenerWith("access: { allow: 10.0.0.1/8, deny: [everybody] }", "pool: app")), [
    '4:22 «10.0.0.1/8» listeners[0].access.allow: must be a CIDR block, an IP address or all, such as 10.0.0.0/8, not "10.0.0.1/8"',
    '4:41 «everybody» listeners[0].access.deny[0]: must be a CIDR block, an IP address or all, such as 10.0.0.0/8, not "everybody"',
  ]);
  assertEquals(await errors(listenerWith("access: true", "pool: app")), [
    "4:13 «true» listeners[0].access: must be false or a map",
  ]);
});

Deno.test("loadConfig() turns guards off only where there are some to turn off", async () => {
  assertEquals(await warnings(listenerWith("access: false", "pool: app")), [
    "4:13 «false» listeners[0].access: has no effect: only a route has something to turn off",
  ]);
  const tcp = listenerWith("protocol: tcp", "routes: [{ access: false, pool: app }]");
  assertEquals(await errors(tcp), [
    "5:24 «false» listeners[0].routes[0].access: must not be false on a tcp listener: its clients are looked at as they connect",
  ]);
});

Deno.test("loadConfig() refuses guards where the kernel forwards", async () => {
  const text =
    `listeners: [{ name: web, bind: ":80", protocol: tcp, forward: nat, access: { deny: 10.0.0.1 }, pool: app }]\n${POOL}`;
  assertEquals((await errors(text)).map((one) => one.split(": ").slice(1).join(": ")), [
    "cannot stand on a listener that the kernel forwards",
  ]);
});
