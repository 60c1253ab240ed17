import { assertEquals } from "../assert.ts";
import { errors as problems, good, warnings } from "./reading.ts";

const SERVERS = `servers: ["10.0.0.1:53"]`;
const of = (listener: string, pool = SERVERS) => `
listeners: [{ name: dns, protocol: udp, bind: "10.0.0.9:53", pool: app${listener} }]
pools: { app: { ${pool} } }
`;

Deno.test("checkDatagrams() a listener of udp has what datagrams need", async () => {
  const { listeners: [dns] } = await good(
    of(", udp: { idle: 5s, answers: 1 }, access: { allow: [10.0.0.0/8] }"),
  );
  assertEquals(dns!.udp, { idle: 5000, answers: 1 });
  assertEquals((await good(of(""))).listeners[0]!.udp, { idle: 30_000 });
});

Deno.test("checkDatagrams() refuses what needs requests or connections", async () => {
  for (
    const [listener, path] of [
      [`, proxyProtocol: { from: [10.0.0.1] }`, "proxyProtocol"],
      [`, timeouts: { idle: 5s }`, "timeouts"],
      [`, limits: { head: 8k }`, "limits.head"],
      [`, trustedProxies: [10.0.0.0/8]`, "trustedProxies"],
      [`, compress: true`, "compress"],
    ] as const
  ) {
    const found = await problems(of(listener));
    assertEquals(
      found.some((text) => text.includes(path) && text.includes("cannot stand")),
      true,
      found.join("\n"),
    );
  }
  const pools = await problems(of("", `${SERVERS}, proxyProtocol: v2, sticky: { table: { by: sourceIp } }`));
  assertEquals(pools.filter((text) => text.includes("a listener of udp")).length, 2, pools.join("\n"));
  const routes = await problems(
    of("").replace("pool: app }", "routes: [{ match: { client: 10.0.0.0/8 }, pool: app }] }"),
  );
  assertEquals(routes.some((text) => text.includes("name its one pool by pool")), true, routes.join("\n"));
});

Deno.test("checkDatagrams() udp settings are for udp, and a bind without an address is warned of", async () => {
  const found = await problems(of(", udp: {}").replace("protocol: udp", "protocol: tcp"));
  assertEquals(found.some((text) => text.includes("needs protocol: udp")), true);
  const told = await warnings(of("").replace("10.0.0.9:53", ":53"));
  assertEquals(told.some((text) => text.includes("names no address")), true, told.join("\n"));
});
