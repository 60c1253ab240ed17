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
  const mapped = ["[::ffff:127.0.0.1]:9900", "[::ffff:0.0.0.0]:9900"];
  for (const server of ["127.0.0.1:9900", "localhost:9900", "0.0.0.0:9900", "[::]:9900", ...mapped]) {
    assertEquals(await refused("127.0.0.1:9900", server), true, server);
  }
  for (
    const server of [
      "127.0.0.7:9900",
      "[::1]:9900",
      "localhost:9900",
      "0.0.0.0:9900",
      "192.0.2.1:9900",
      ...mapped,
    ]
  ) {
    const vrrp =
      `vrrp: { instances: [{ name: e, interface: eth0, routerId: 1, addresses: [192.0.2.1], priority: 100 }] }`;
    assertEquals(await refused(":9900", server, vrrp), true, server);
  }
  assertEquals(await refused("192.0.2.1:9900", "192.0.2.1:9900"), true);
  assertEquals(await refused("192.0.2.1:9900", "[::ffff:192.0.2.1]:9900"), true);
  assertEquals(await refused("[::1]:9900", "[::]:9900"), true);
});

Deno.test("checkAdmin() lets other machines and other ports be servers", async () => {
  for (const server of ["127.0.0.1:9901", "10.0.0.1:9900", "app.internal:9900", "127.0.0.2:9900"]) {
    assertEquals(await refused("127.0.0.1:9900", server), false, server);
  }
  assertEquals(await refused("192.0.2.1:9900", "127.0.0.1:9900"), false);
});

Deno.test("isAdminAddress() knows what a name, or an address of this machine, must not lead to", async () => {
  const at = async (bind: string) => {
    const text = `listeners: [{ name: web, bind: ":80", pool: app }]
pools: { app: { servers: ["app.internal:9900"] } }
admin: { bind: "${bind}", token: 0123456789abcdef }`;
    const loaded = await loadConfig(text, { file: "a.yaml", node: "n", context: null, env: () => undefined });
    if ("problems" in loaded) throw new Error(JSON.stringify(loaded.problems));
    const own = () => new Set(["192.0.2.2", "2001:db8::2"]);
    return (host: string, port: number) => isAdminAddress(loaded.config, { host, port }, own);
  };
  const loopback = await at("127.0.0.1:9900"), any = await at(":9900");
  assertEquals(
    [["127.0.0.1", 9900], ["127.0.0.1", 9901], ["10.0.0.1", 9900], ["192.0.2.2", 9900]].map(([host, port]) =>
      loopback(host as string, port as number)
    ),
    [true, false, false, false],
  );
  assertEquals(
    ["192.0.2.2", "::ffff:192.0.2.2", "2001:db8::2", "192.0.2.3"].map((host) => any(host, 9900)),
    [true, true, true, false],
  );
});
