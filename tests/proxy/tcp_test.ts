/** TCP connections: choose, connect, pump, and everything that can come in between. */
import { SERVER_COLUMN } from "../../mod/base/counters.ts";
import { assert, assertEquals } from "../assert.ts";
import { everyWay, simulate, type World } from "../sim/world.ts";

const TCP = { protocol: "tcp" } as const;

/** Servers that greet with their name and send back what they get. */
function echoing(world: World): void {
  for (const server of world.servers) {
    server.onBytes = (view, connection) => {
      connection.send(view.slice());
      return true;
    };
    server.onConnect = (connection) => connection.send(`${server.name}:`);
  }
}

Deno.test("TcpConnection pumps both ways and half-closes through", () => {
  everyWay((way) =>
    simulate({ ...TCP, ...way }, (world) => {
      echoing(world);
      const client = world.connectPeer();
      client.send("early ");
      world.settle();
      client.send("x".repeat(10_000));
      client.end();
      world.settle();
      assertEquals(client.text, `a:early ${"x".repeat(10_000)}`);
      assert(client.gotEnd);
      assertEquals(world.sessions.size, 0);
      const [logged] = world.log;
      assertEquals([logged!.bytesIn, logged!.bytesOut, logged!.error], [10_006, 10_008, ""]);
      assertEquals(world.memory.counters.server(0, SERVER_COLUMN.connections), 1);
    })
  );
});

Deno.test("TcpConnection goes on to another server when one refuses or does not answer", () => {
  for (const accepts of ["refuses", "silent"] as const) {
    everyWay((way) =>
      simulate({ ...TCP, ...way, servers: 3 }, (world) => {
        echoing(world);
        world.servers[0]!.accepts = world.servers[1]!.accepts = accepts;
        const client = world.connectPeer();
        client.send("hello");
        world.run(8000);
        assertEquals(client.text, "c:hello");
        client.end();
        world.settle();
        assertEquals([world.log[0]!.error, world.log[0]!.retries], ["", 2]);
      }), 3);
  }
});

Deno.test("TcpConnection closes when no server is left", () => {
  simulate(TCP, (world) => {
    for (const server of world.servers) server.accepts = "refuses";
    const client = world.connectPeer();
    world.settle();
    assert(client.gotEnd);
    assertEquals(world.log[0]!.error, "connectFailed");
    for (const slot of [0, 1]) world.control.slots.setUp(slot, false);
    world.connectPeer();
    world.settle();
    assertEquals(world.log[1]!.error, "noServer");
  });
});

Deno.test("TcpConnection waits for its turn, and leaves the line when it must", () => {
  const options = { ...TCP, servers: [{ maxConnections: 1 }], pool: { queue: { size: 2, timeoutMs: 5000 } } };
  everyWay((way) =>
    simulate({ ...options, ...way }, (world) => {
      echoing(world);
      const [first, second, third, fourth] = [1, 2, 3, 4].map((n) => {
        const client = world.connectPeer();
        client.send(String(n));
        world.settle();
        return client;
      });
      assert(fourth!.gotEnd, "the queue is full");
      assertEquals(world.log[0]!.error, "queueFull");
      first!.end();
      world.settle();
      assertEquals(second!.text, "a:2");
      assertEquals(third!.text, "");
      world.run(5200);
      assert(third!.gotEnd);
      assertEquals(world.log.at(-1)!.error, "queueTimeout");
    }), 5);
});

Deno.test("TcpConnection.close() lets go at every stage", () => {
  for (const stage of ["queue", "connect", "tunnel"] as const) {
    simulate({ ...TCP, servers: [{ maxConnections: 1 }] }, (world) => {
      echoing(world);
      if (stage === "connect") world.servers[0]!.accepts = "silent";
      world.connectPeer();
      if (stage === "queue") world.connectPeer();
      world.settle();
      world.drain();
      for (const session of [...world.sessions]) session.close();
      world.settle();
      world.checkQuiet();
      assertEquals(new Set(world.log.map(({ error }) => error)), new Set(["draining" as const]));
    });
  }
});
