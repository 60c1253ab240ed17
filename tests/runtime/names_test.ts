import type { ServerConfig } from "../../mod/config/pool_schema.ts";
import { addressesOf, namesOf } from "../../mod/runtime/names.ts";
import { assertEquals } from "../assert.ts";

function server(source: ServerConfig["source"]): ServerConfig {
  return { name: "s", weight: 1, maxConnections: 0, backup: false, slowStart: 0, state: "ready", source };
}

const IP = server({ kind: "address", host: "10.0.0.1", port: 80 });
const V6 = server({ kind: "address", host: "2001:db8::1", port: 80 });
const HOST = server({ kind: "address", host: "App.Internal", port: 8080 });
const SRV = server({ kind: "dns", dns: "_app._tcp.internal", type: "SRV", port: 0 });

Deno.test("namesOf() gives each name once, and no addresses", () => {
  const pools = { a: { servers: [IP, HOST, V6] }, b: { servers: [SRV, HOST] } };
  assertEquals(namesOf({ pools } as unknown as Parameters<typeof namesOf>[0]), [
    { dns: "app.internal", type: "host" },
    { dns: "_app._tcp.internal", type: "SRV" },
  ]);
});

Deno.test("addressesOf() an address is itself and is not looked up", () => {
  const never = () => {
    throw new Error("looked up");
  };
  assertEquals(addressesOf(IP, never), [{ host: "10.0.0.1", port: 80 }]);
  assertEquals(addressesOf(V6, never), [{ host: "2001:db8::1", port: 80 }]);
});

Deno.test("addressesOf() a name's members have its port, or that of their record with weight and rank", () => {
  const plain = { host: "10.0.0.2", port: null, weight: null, backup: false };
  assertEquals(addressesOf(HOST, () => [plain]), [{ host: "10.0.0.2", port: 8080 }]);
  const record = { host: "10.0.0.3", port: 9000, weight: 7, backup: true };
  assertEquals(addressesOf(SRV, () => [record]), [{ host: "10.0.0.3", port: 9000, weight: 7, backup: true }]);
  assertEquals(addressesOf(SRV, () => []), []);
});
