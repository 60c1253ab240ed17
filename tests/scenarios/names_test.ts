/** Servers by name: their addresses change, and their nameserver dies, while traffic flows. */
import { assertEquals } from "../assert.ts";
import { Dnsmasq } from "../discovery/dnsmasq.ts";
import { labTest } from "../lab/tools.ts";
import { Buffered } from "./buffered.ts";
import { Load } from "./load.ts";
import { freePort, Node } from "./node.ts";
import { RawServer } from "./raw_server.ts";

/** Of its own, so that port 53 is free there. */
const NAMESERVER = "127.53.53.53";
const [A, B] = ["127.0.1.1", "127.0.1.2"];

/** The node sees a resolv.conf of ours in a mount namespace of its own. */
function withResolvConf(directory: string): string[] {
  const file = `${directory}/resolv.conf`;
  Deno.writeTextFileSync(file, `nameserver ${NAMESERVER}\noptions timeout:1 attempts:1\n`);
  const script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"';
  return ["unshare", "--mount", "sh", "-c", script, file];
}

labTest("run() servers behind a name change while traffic flows, and stay when the nameserver dies", [
  "namespaces",
  "dnsmasq",
], async () => {
  const serve = (name: string) => async (conn: Deno.TcpConn) => {
    const input = new Buffered(conn);
    while (true) {
      await input.through("\r\n\r\n");
      await RawServer.answer(conn, name);
    }
  };
  await using a = new RawServer(serve("a"), { hostname: A });
  await using b = new RawServer(serve("b"), { hostname: B, port: a.port });
  const directory = await Deno.makeTempDir();
  const dnsmasq = new Dnsmasq(directory, { host: NAMESERVER, port: 53, ttlS: 1 }, `${A} app.test\n`);
  try {
    assertEquals(await dnsmasq.start(), true, "port 53 is taken");
    const port = freePort();
    const config = `
listeners: [{ name: web, bind: "127.0.0.1:${port}", pool: app }]
pools: { app: { servers: [{ dns: app.test, port: ${b.port} }] } }
workers: 2
`;
    await using node = await Node.start(config, { through: withResolvConf });
    const heard = new Map<string, number>();
    const good = ({ status, body }: { status: number; body: string }) => {
      heard.set(body, (heard.get(body) ?? 0) + 1);
      return status === 200;
    };
    await using kept = new Load({ port, clients: 2, good });
    await using fresh = new Load({ port, clients: 2, perConnection: 1, good });
    /** Who answers once the node knows these addresses. */
    const answering = async (hosts: readonly string[]) => {
      const addresses = hosts.map((host) => `${host}:${b.port}`);
      await node.until(({ pools }) =>
        `${pools[0]!.servers.map(({ address }) => address).sort()}` === `${addresses}`
      );
      // Whatever was under way at the change is over.
      await Promise.all([kept.more(10), fresh.more(10)]);
      heard.clear();
      await Promise.all([kept.more(100), fresh.more(100)]);
      return [...heard.keys()].sort();
    };
    assertEquals(await answering([A]), ["a"]);
    await dnsmasq.reload(`${B} app.test\n`);
    assertEquals(await answering([B]), ["b"]);
    await dnsmasq.reload(`${A} app.test\n${B} app.test\n`);
    assertEquals(await answering([A, B]), ["a", "b"]);
    const { generation } = await node.status();
    await dnsmasq.stop();
    // Two times to live and more, in which it is asked again in vain.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    assertEquals(await answering([A, B]), ["a", "b"]);
    assertEquals((await node.status()).generation, generation);
    await kept.stop();
    await fresh.stop();
    assertEquals([...kept.failures, ...fresh.failures], []);
  } finally {
    await dnsmasq.stop();
    await Deno.remove(directory, { recursive: true });
  }
});
