/** UDP sockets of both engines, over loopback. */
import type { DatagramSocket, Peer } from "../../mod/net/datagrams.ts";
import { BufferPool } from "../../mod/net/buffers.ts";
import { makeEngine } from "../../mod/net/engine_io.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** What a socket takes, one by one. */
class Inbox {
  readonly problems: string[] = [];
  #waiting: PromiseWithResolvers<{ text: string; from: Peer }>[] = [Promise.withResolvers()];
  #read = 0;

  constructor(readonly socket: DatagramSocket) {
    socket.receive({
      onDatagram: (view, from) => {
        this.#waiting.at(-1)!.resolve({ text: new TextDecoder().decode(view), from });
        this.#waiting.push(Promise.withResolvers());
      },
      onProblem: (error) => this.problems.push(error.message),
    });
  }

  next(): Promise<{ text: string; from: Peer }> {
    return this.#waiting[this.#read++]!.promise;
  }
}

for (const name of ["epoll", "deno"] as const) {
  for (const [host, seen] of [["127.0.0.1", "127.0.0.1"], ["::1", "::1"], ["::", "127.0.0.1"]] as const) {
    Deno.test(`Engine ${name} sends and takes datagrams at ${host} from ${seen}`, async () => {
      const world = { buffers: new BufferPool(), tick() {}, onBug: (error: unknown) => console.error(error) };
      const engine = makeEngine(world, 0, name);
      const server = engine.datagrams.bind(host, 0);
      const [one, other] = [0, 1].map(() => engine.datagrams.connect(seen, server.port));
      try {
        const inbox = new Inbox(server);
        const [first, second] = [new Inbox(one!), new Inbox(other!)];
        for (const text of ["a", ""]) assert(one!.send(bytes(text), null));
        const got = [await inbox.next(), await inbox.next()];
        assert(other!.send(bytes("x".repeat(60_000)), null));
        got.push(await inbox.next());
        assertEquals(got.map(({ text }) => text.length), [1, 0, 60_000]);
        assertEquals(got.map(({ from }) => from.host), [seen, seen, seen]);
        assertEquals(got[0]!.from.key, got[1]!.from.key);
        assert(got[0]!.from.key !== got[2]!.from.key);
        server.send(bytes("for the second"), got[2]!.from);
        server.send(bytes("for the first"), got[0]!.from);
        assertEquals((await first.next()).text, "for the first");
        const { text, from } = await second.next();
        assertEquals([text, from.port], ["for the second", server.port]);
      } finally {
        for (const socket of [server, one!, other!]) socket.close();
        await engine.stop();
      }
    });
  }
}

Deno.test("Engine epoll hears that a server's port is closed, and binds addresses that are yet to come", async () => {
  const problem = Promise.withResolvers<string>();
  const world = { buffers: new BufferPool(), tick() {}, onBug: (error: unknown) => console.error(error) };
  const engine = makeEngine(world, 0, "epoll");
  const { datagrams } = engine;
  const gone = datagrams.bind("127.0.0.1", 0);
  gone.close();
  const client = datagrams.connect("127.0.0.1", gone.port);
  client.receive({ onDatagram() {}, onProblem: (error) => problem.resolve(error.message) });
  client.send(bytes("x"), null);
  assertEquals(await problem.promise, "connection refused");
  client.close();
  // A second datagram meets the refusal of the first, and takes it from whoever reads.
  const again = Promise.withResolvers<string>();
  const hasty = datagrams.connect("127.0.0.1", gone.port);
  hasty.receive({ onDatagram() {}, onProblem: (error) => again.resolve(error.message) });
  for (let sent = 0; sent < 3; sent++) hasty.send(bytes("x"), null);
  assertEquals(await again.promise, "connection refused");
  hasty.close();
  for (const host of ["192.0.2.1", "2001:db8::1"]) datagrams.bind(host, 0).close();
  assertThrows(() => datagrams.bind("somewhere", 0), Error, "no IP address");
  await engine.stop();
});
