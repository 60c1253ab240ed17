/** UDP through a real node: DNS from real servers, and datagrams of the test's own. */
import { assert, assertEquals } from "../assert.ts";
import { labTest, requireTool } from "../lab/tools.ts";
import { eventually, freePort, Node } from "./node.ts";

/** Not the address that answers would leave by on their own. */
const HOST = "127.0.0.9";

const config = (port: number, servers: readonly number[], more = "") => `
listeners:
  - { name: dns, protocol: udp, bind: "${HOST}:${port}", pool: app, ${more} }
pools:
  app:
    servers: [${servers.map((each) => `"127.0.0.1:${each}"`).join(", ")}]
workers: 2
log: { format: json, access: json }
`;

function ask(port: number, name: string): Promise<string[]> {
  return Deno.resolveDns(name, "A", { nameServer: { ipAddr: HOST, port } });
}

/** A DNS server that knows one name. */
function dnsmasq(path: string, port: number, address: string): Deno.ChildProcess {
  const args = [
    ...["--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces"],
    ...["--listen-address=127.0.0.1", `--port=${port}`, `--address=/who.test/${address}`, "--pid-file="],
  ];
  return new Deno.Command(path, { args, stdout: "null", stderr: "null" }).spawn();
}

labTest("run() DNS goes to several servers by UDP, and to those that are left", ["dnsmasq"], async () => {
  const tool = requireTool("dnsmasq");
  if ("skip" in tool) throw new Error(tool.skip);
  const [port, a, b] = [freePort(), freePort(), freePort()];
  const servers = [dnsmasq(tool.path, a, "10.0.0.1"), dnsmasq(tool.path, b, "10.0.0.2")];
  try {
    await using node = await Node.start(config(port, [a, b], "udp: { idle: 5s, answers: 1 }"));
    const seen = new Set<string>();
    await eventually(async () => {
      for (const address of await ask(port, "who.test").catch(() => [])) seen.add(address);
      return seen.size === 2;
    }, () => [...seen].join());
    servers[0]!.kill("SIGKILL");
    await servers[0]!.status;
    // A refusal is heard of, and who asks again is answered by the other.
    for (let asked = 0; asked < 10; asked++) {
      await eventually(async () => {
        const found = await ask(port, "who.test").catch(() => []);
        return found[0] === "10.0.0.2";
      }, () => "nobody answers");
    }
    const { counters } = await node.listener("dns");
    assert(counters.requests >= 12 && counters.bytesOut > counters.bytesIn);
    assertEquals((await node.status()).pools[0]!.servers[0]!.counters.connectErrors > 0, true);
  } finally {
    for (const server of servers) {
      try {
        server.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await server.status;
    }
  }
});

Deno.test("run() a client of UDP keeps its server over a reload, is answered by the address it asked, and is logged", async () => {
  const port = freePort();
  const back = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const client = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const to: Deno.NetAddr = { transport: "udp", hostname: HOST, port };
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const bytes = (text: string) => new TextEncoder().encode(text);
  const server = (back.addr as Deno.NetAddr).port;
  try {
    await using node = await Node.start(config(port, [server], "udp: { idle: 2s }"));
    await client.send(bytes("one"), to);
    const [got, from] = await back.receive();
    assertEquals(text(got), "one");
    await back.send(bytes("ONE"), from);
    const [answer, answerer] = await client.receive();
    assertEquals([text(answer), (answerer as Deno.NetAddr).hostname, (answerer as Deno.NetAddr).port], [
      "ONE",
      HOST,
      port,
    ]);
    await node.reload(config(port, [server], "udp: { idle: 1s }"));
    await client.send(bytes("x".repeat(60_000)), to);
    const [again, sameFrom] = await back.receive();
    assertEquals([again.length, (sameFrom as Deno.NetAddr).port], [60_000, (from as Deno.NetAddr).port]);
    await node.program.line('"listener":"dns"');
    const [{ bytesIn, bytesOut, pool, error }] = node.program.lines.filter((line) =>
      line.includes('"listener":"dns"')
    ).map((line) => JSON.parse(line));
    assertEquals([bytesIn, bytesOut, pool, error], [60_003, 3, "app", ""]);
    await eventually(async () => (await node.listener("dns")).counters.active === 0, () => "not forgotten");
  } finally {
    back.close();
    client.close();
  }
});
