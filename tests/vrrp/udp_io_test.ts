/** Unicast on loopback; multicast and IPv6 need interfaces, see tests/lab/vrrp_udp_test.ts. */
import { formatIp, type IpBytes, parseCidr, parseIp } from "../../mod/base/address.ts";
import type { LocalAddress } from "../../vrrp/interfaces.ts";
import { UdpTransport } from "../../vrrp/udp_io.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";

const local = (text: string): LocalAddress => ({
  address: parseIp(text)!,
  subnet: parseCidr("127.0.0.0/8")!,
  scope: null,
});

/** A port that was free a moment ago. */
function freePort(): number {
  using probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return probe.addr.port;
}

interface Party extends AsyncDisposable {
  readonly transport: UdpTransport;
  /** "SOURCE:LENGTH" of what was heard, "SOURCE:REASON" of what was dropped. */
  next(): Promise<string>;
}

async function party(address: string, peers: string[], port: number): Promise<Party> {
  const queue: string[] = [];
  let wake = () => {};
  const put = (line: string) => {
    queue.push(line);
    wake();
  };
  const transport = await UdpTransport.open({
    local: local(address),
    peers: peers.map((peer) => parseIp(peer) as IpBytes),
    port,
    onDatagram: (bytes, source) => put(`${formatIp(source)}:${bytes.length}`),
    onDropped: (reason, source) => put(`${source}:${reason}`),
    onProblem: (problem) => put(problem),
  });
  return {
    transport,
    next: async () => {
      while (queue.length === 0) await new Promise<void>((resolve) => wake = resolve);
      return queue.shift()!;
    },
    [Symbol.asyncDispose]: () => transport.close(),
  };
}

Deno.test("UdpTransport() sends to every peer, and hears its peers and nobody else", async () => {
  const port = freePort();
  await using one = await party("127.0.0.1", ["127.0.0.2", "127.0.0.3"], port);
  await using two = await party("127.0.0.2", ["127.0.0.1"], port);
  await using three = await party("127.0.0.3", ["127.0.0.1", "127.0.0.2"], port);
  assertEquals(await one.transport.send(new Uint8Array(5)), null);
  assertEquals([await two.next(), await three.next()], ["127.0.0.1:5", "127.0.0.1:5"]);
  await three.transport.send(new Uint8Array(7));
  assertEquals([await one.next(), await two.next()], ["127.0.0.3:7", "127.0.0.3:foreign"]);
});

Deno.test("UdpTransport() hears the largest datagram whole and drops a larger one", async () => {
  const port = freePort();
  await using one = await party("127.0.0.1", ["127.0.0.2"], port);
  await using two = await party("127.0.0.2", ["127.0.0.1"], port);
  for (
    const [length, expected] of [[1400, "1400"], [1401, "oversize"], [9000, "oversize"], [1, "1"]] as const
  ) {
    await one.transport.send(new Uint8Array(length));
    assertEquals(await two.next(), `127.0.0.1:${expected}`);
  }
});

Deno.test("send() keeps the order also of what is not waited for", async () => {
  const port = freePort();
  await using one = await party("127.0.0.1", ["127.0.0.2"], port);
  await using two = await party("127.0.0.2", ["127.0.0.1"], port);
  const lengths = Array.from({ length: 50 }, (_, at) => at + 1);
  await Promise.all(lengths.map((length) => one.transport.send(new Uint8Array(length))));
  for (const length of lengths) assertEquals(await two.next(), `127.0.0.1:${length}`);
});

Deno.test("UdpTransport() drops what comes from its own address", async () => {
  const port = freePort();
  await using one = await party("127.0.0.1", ["127.0.0.1"], port);
  await one.transport.send(new Uint8Array(3));
  assertEquals(await one.next(), "127.0.0.1:own");
});

Deno.test("UdpTransport() cannot be opened on an address that is not here, and closes twice without harm", async () => {
  await assertRejects(() => party("192.0.2.77", ["127.0.0.1"], freePort()));
  await assertRejects(() => party("192.0.2.77", [], freePort()));
  const one = await party("127.0.0.1", ["127.0.0.2"], freePort());
  await one.transport.close();
  await one.transport.close();
  assert((await one.transport.send(new Uint8Array(1)))?.startsWith("Cannot send: "));
});
