import { assertEquals } from "../assert.ts";
import { isAdminAddress } from "../../mod/config/admin_rules.ts";
import { loadConfig } from "../../mod/config/load.ts";
import { errors } from "./reading.ts";

async function refused(bind: string, server: string, more = ""): Promise<boolean> {
  const found = await errors(`listeners: [{ name: web, bind: ":80", pool: app }]
pools: { app: { servers: [${JSON.stringify(server)}] } }
admin: { bind: "${bind}", token: 0123456789abcdef }
${more}`);
  if (found.length === 0) return false;
  assertEquals(found.map((one) => one.includes("cannot be the admin address")), [true]);
  return true;
}

Deno.test("checkAdmin() refuses a server that is the admin address, by whatever name of this machine", async () => {
  for (const server of ["127.0.0.1:9900", "localhost:9900", "0.0.0.0:9900", "[::]:9900"]) {
    assertEquals(await refused("127.0.0.1:9900", server), true, server);
  }
  for (const server of ["127.0.0.7:9900", "[::1]:9900", "localhost:9900", "0.0.0.0:9900", "192.0.2.1:9900"]) {
    const vrrp =
      `vrrp: { instances: [{ name: e, interface: eth0, routerId: 1, addresses: [192.0.2.1], priority: 100 }] }`;
    assertEquals(await refused(":9900", server, vrrp), true, server);
  }
  assertEquals(await refused("192.0.2.1:9900", "192.0.2.1:9900"), true);
});

Deno.test("checkAdmin() lets other machines and other ports be servers", async () => {
  for (const server of ["127.0.0.1:9901", "10.0.0.1:9900", "app.internal:9900", "127.0.0.2:9900"]) {
    assertEquals(await refused("127.0.0.1:9900", server), false, server);
  }
  assertEquals(await refused("192.0.2.1:9900", "127.0.0.1:9900"), false);
});

Deno.test("isAdminAddress() knows what a name must not lead to", async () => {
  const text = `listeners: [{ name: web, bind: ":80", pool: app }]
pools: { app: { servers: ["app.internal:9900"] } }
admin: { bind: "127.0.0.1:9900" }`;
  const loaded = await loadConfig(text, { file: "a.yaml", node: "n", context: null, env: () => undefined });
  if ("problems" in loaded) throw new Error(JSON.stringify(loaded.problems));
  const is = (host: string, port: number) => isAdminAddress(loaded.config, { host, port });
  assertEquals([is("127.0.0.1", 9900), is("127.0.0.1", 9901), is("10.0.0.1", 9900)], [true, false, false]);
});
