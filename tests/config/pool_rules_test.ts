import { assertEquals } from "../assert.ts";
import { errors, LISTENER, listenerWith, poolWith, serversOf, SMALLEST, warnings } from "./reading.ts";

Deno.test("checkPools() a pool has servers", async () => {
  assertEquals(await errors(serversOf("[]")), ["4:14 «[]» pools.app.servers: must have at least one server"]);
  assertEquals(await errors(`${LISTENER}\npools: { app: {} }`), [
    "2:10 «app» pools.app.servers: is required: The pool's servers: `host:port`, or an object",
  ]);
});

Deno.test("checkPools() the forms of a server", async () => {
  const list = `
      - "10.0.0.1"
      - 5
      - { name: x }
      - { address: "1.2.3.4:80", dns: x }
      - { address: "1.2.3.5:80", port: 1 }
      - { address: "1.2.3.6:80", type: A }
      - { dns: x }
      - { dns: x, type: SRV, port: 1 }
      - { address: "1.2.3.7:80", weight: 300 }
      - { dns: "not a name", port: 80 }
      - { address: "1.2.3.8:0" }`;
  assertEquals(await errors(serversOf(list)), [
    '5:9 «"10.0.0.1"» pools.app.servers[0]: must be host:port or [v6]:port, such as 10.0.0.11:8080, not "10.0.0.1"',
    "6:9 «5» pools.app.servers[1]: must be host:port or [v6]:port, such as 10.0.0.11:8080 or a map, not 5",
    "7:9 «{ name: x }» pools.app.servers[2]: must have either address or dns",
    '8:9 «{ address: "1.2.3.4:80", dns: x }» pools.app.servers[3]: must have either address or dns',
    "9:40 «1» pools.app.servers[4].port: belongs into address",
    "10:40 «A» pools.app.servers[5].type: has no sense with address",
    "11:9 «{ dns: x }» pools.app.servers[6]: needs a port with type A",
    "12:36 «1» pools.app.servers[7].port: has no sense with type SRV, whose records have a port",
    "13:42 «300» pools.app.servers[8].weight: must be a whole number from 0 to 256, not 300",
    '14:16 «"not a name"» pools.app.servers[9].dns: must be a host name',
    '15:20 «"1.2.3.8:0"» pools.app.servers[10].address: must be host:port or [v6]:port, such as 10.0.0.11:8080, not "1.2.3.8:0"',
  ]);
});

Deno.test("checkPools() a server is there once, under one name", async () => {
  const list = `
      - "10.0.0.1:80"
      - "10.0.0.1:80"
      - { name: a, address: "10.0.0.2:80" }
      - { name: a, address: "10.0.0.3:80" }
      - { name: b, address: "10.0.0.2:80" }
      - { dns: x, port: 80 }
      - { name: y, dns: X, port: 80 }
      - { name: z, dns: X, port: 81 }`;
  assertEquals(await errors(serversOf(list)), [
    '6:9 «"10.0.0.1:80"» pools.app.servers[1]: is the same server as pools.app.servers[0]',
    "8:17 «a» pools.app.servers[3].name: has the name of pools.app.servers[2]",
    '9:9 «{ name: b, address: "10.0.0.2:80" }» pools.app.servers[4]: is the same server as pools.app.servers[2]',
    "11:9 «{ name: y, dns: X, port: 80 }» pools.app.servers[6]: is the same server as pools.app.servers[5]",
  ]);
});

Deno.test("checkPools() one server at least has a weight", async () => {
  const server = (weight: number) => `{ address: "10.0.0.${weight + 1}:80", weight: ${weight} }`;
  assertEquals(await errors(serversOf(`[${server(0)}]`)), [
    "4:5 «servers» pools.app.servers: must have a server with a weight above 0",
  ]);
  assertEquals(await errors(serversOf(`[${server(0)}, ${server(1)}]`)), []);
});

Deno.test("checkPools() what is hashed needs a policy that hashes, and a tcp listener has addresses only", async () => {
  assertEquals(await errors(poolWith("hashOn: path")), [
    "5:5 «hashOn» pools.app.hashOn: has no sense with balance roundRobin; it needs hash or maglev",
  ]);
  assertEquals(await errors(poolWith("balance: maglev", "hashMethod: mod")), [
    "6:5 «hashMethod» pools.app.hashMethod: has no sense with balance maglev; it needs hash",
  ]);
  assertEquals(await errors(poolWith("balance: hash", "hashOn: cookie")), [
    '6:13 «cookie» pools.app.hashOn: must be sourceIp, connection, uri, path, header:NAME, cookie:NAME or query:NAME, not "cookie"',
  ]);
  const hashes = poolWith("balance: hash", "hashOn: path");
  assertEquals(await errors(hashes), []);
  assertEquals(await errors(hashes.replace("pool: app", "pool: app, protocol: tcp")), [
    "6:13 «path» pools.app.hashOn: must be sourceIp in a pool of a tcp listener, which sees no requests",
  ]);
});

Deno.test("checkPools() ejection by latency needs answers and a factor", async () => {
  assertEquals(await warnings(poolWith("passive: { latencyMargin: 10ms }")), [
    "5:16 «latencyMargin» pools.app.passive.latencyMargin: has no effect without latencyFactor",
  ]);
  const slow = poolWith("passive: { latencyFactor: 3, latencyMargin: 10ms }");
  assertEquals(await warnings(slow), []);
  assertEquals(await warnings(slow.replace("pool: app", "pool: app, protocol: tcp")), [
    "5:16 «latencyFactor» pools.app.passive.latencyFactor: has no effect on tcp and udp, which have no answers",
  ]);
});

Deno.test("checkPools() the fields of checks", async () => {
  assertEquals(
    await errors(poolWith(
      'check: { path: healthz, expect: { status: [99, 200-100] }, host: "a:80", port: 0, interval: 1ms }',
      "passive: { failures: -1, maxEjected: 2 }",
    )),
    [
      '5:20 «healthz» pools.app.check.path: must start with "/" and be ASCII without spaces, not "healthz"',
      '5:48 «99» pools.app.check.expect.status[0]: must be a status or a range such as 200-299, not "99"',
      '5:52 «200-100» pools.app.check.expect.status[1]: must be a status or a range such as 200-299, not "200-100"',
      '5:70 «"a:80"» pools.app.check.host: must be a host name or an IP address, without a port',
      "5:84 «0» pools.app.check.port: must be a whole number from 1 to 65535, not 0",
      "5:97 «1ms» pools.app.check.interval: must be at least 10ms",
      "6:26 «-1» pools.app.passive.failures: must be a whole number from 0 to 1000, not -1",
      '6:42 «2» pools.app.passive.maxEjected: must be a share such as 20% or 0.2, not "2"',
    ],
  );
  assertEquals(await errors(poolWith("check: { type: exec }")), [
    "5:5 «check» pools.app.check.command: is required by type exec",
  ]);
  assertEquals(await warnings(poolWith("check: { command: /x }")), [
    "5:14 «command» pools.app.check.command: has no effect in a check of type http",
  ]);
  assertEquals(await errors(poolWith("check: { type: exec, command: [bin/x] }")), [
    '5:35 «[bin/x]» pools.app.check.command: must be an absolute path, not "bin/x"',
  ]);
  assertEquals(
    await warnings(
      poolWith("check: { type: tcp, path: /x, method: HEAD, expect: { status: 200 }, host: a }"),
    ),
    [
      "5:25 «path» pools.app.check.path: has no effect in a check of type tcp",
      "5:35 «method» pools.app.check.method: has no effect in a check of type tcp",
      "5:49 «expect» pools.app.check.expect: has no effect in a check of type tcp",
      "5:74 «host» pools.app.check.host: has no effect in a check of type tcp",
    ],
  );
});

Deno.test("checkPools() PROXY headers to servers and in checks", async () => {
  assertEquals(await errors(poolWith("proxyProtocol: true", "check: { proxyProtocol: v1 }")), [
    "5:20 «true» pools.app.proxyProtocol: must be one of v1, v2, not true",
    '6:29 «v1» pools.app.check.proxyProtocol: must be true or false, not "v1"',
  ]);
  assertEquals(await warnings(poolWith("check: { type: exec, command: /x, proxyProtocol: true }")), [
    "5:39 «proxyProtocol» pools.app.check.proxyProtocol: has no effect in a check of type exec",
  ]);
});

Deno.test("checkPools() warns of a pool that nobody uses, unless something else may be the reason", async () => {
  const more = SMALLEST.replace("} }", '}, more: { servers: ["10.0.0.2:80"] } }');
  assertEquals(await warnings(more), ["2:45 «more» pools.more: is used by no listener"]);
  assertEquals(await warnings(more.replace("pool: app", "pool: nope")), []);
  assertEquals(await warnings(more.replace('":80"', '"x"')), []);
  assertEquals(await warnings(listenerWith("routes: [{ redirect: { to: 'http://b.test/' } }]")), [
    "5:10 «app» pools.app: is used by no listener",
  ]);
});
