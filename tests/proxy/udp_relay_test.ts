/** Datagrams through the balancer: sessions, their ends, and what is refused. */
import { LISTENER_COLUMN, SERVER_COLUMN } from "../../mod/base/counters.ts";
import type { ListenerSnapshot } from "../../mod/config/snapshot.ts";
import type { RelayOwner } from "../../mod/proxy/udp_relay.ts";
import { UdpRelay } from "../../mod/proxy/udp_relay.ts";
import { assertEquals } from "../assert.ts";
import { SimDatagramNet, SimDatagrams } from "../sim/datagrams.ts";
import { simulate, type World, type WorldOptions } from "../sim/world.ts";

const ONE = "192.0.2.1 1000";
const OTHER = "192.0.2.2 2000";

interface Udp {
  readonly world: World;
  /** The clients' side. */
  readonly front: SimDatagrams;
  readonly net: SimDatagramNet;
  readonly relay: UdpRelay;
}

function simulateUdp(
  { udp = { idleMs: 30_000, answers: 0 }, most = 100, ...listener }:
    & { udp?: ListenerSnapshot["udp"]; most?: number }
    & Partial<ListenerSnapshot>,
  use: (udp: Udp) => void,
  options: WorldOptions = {},
): void {
  const limits = { head: 1024, headers: 100, body: 0, connections: most };
  simulate({ protocol: "udp", ...options, listener: { ...listener, udp, limits } }, (world) => {
    const front = new SimDatagrams();
    const net = new SimDatagramNet();
    const owner: RelayOwner = {
      environment: world.environment,
      recorder: world.recorder,
      datagrams: net,
      mayBegin: () => world.sessions.size < most,
      onBegun: (session) => {
        world.memory.counters.addListener(0, LISTENER_COLUMN.active, 1);
        world.sessions.add(session);
        session.start();
      },
      onGone: (session) => world.onGone(session),
      onProblem() {},
    };
    const relay = new UdpRelay(owner, world.state, front);
    use({ world, front, net, relay });
    relay.close();
  });
}

Deno.test("UdpRelay sends a client's datagrams to one server, and its answers back", () => {
  simulateUdp({}, ({ world, front, net }) => {
    front.get("a", ONE);
    front.get("b", OTHER);
    front.get("c", ONE);
    assertEquals(net.sockets.map(({ server, sent }) => [server, ...sent.map(({ text }) => text)]), [
      [`${world.servers[0]!.host} ${world.servers[0]!.port}`, "a", "c"],
      [`${world.servers[1]!.host} ${world.servers[1]!.port}`, "b"],
    ]);
    net.sockets[1]!.get("B");
    net.sockets[0]!.get("A");
    assertEquals(front.sent, [{ text: "B", to: OTHER }, { text: "A", to: ONE }]);
    assertEquals(world.sessions.size, 2);
  });
});

Deno.test("UdpRelay forgets a client that is silent, and logs what passed", () => {
  simulateUdp({ udp: { idleMs: 1000, answers: 0 } }, ({ world, front, net }) => {
    front.get("abc", ONE);
    world.run(700);
    net.sockets[0]!.get("12345");
    world.run(700);
    assertEquals([world.sessions.size, world.log.length], [1, 0]);
    world.run(500);
    assertEquals([world.sessions.size, net.sockets[0]!.closed], [0, true]);
    const [{ bytesIn, bytesOut, error, server, clientHost, clientPort }] = world.log as [typeof world.log[0]];
    assertEquals([bytesIn, bytesOut, error, server, clientHost, clientPort], [
      3,
      5,
      "",
      "a",
      "192.0.2.1",
      1000,
    ]);
    front.get("again", ONE);
    assertEquals(net.sockets.length, 2);
  });
});

Deno.test("UdpRelay forgets a client with the answers that it has to have", () => {
  simulateUdp({ udp: { idleMs: 30_000, answers: 1 } }, ({ world, front, net }) => {
    front.get("q1", ONE);
    front.get("q2", ONE);
    net.sockets[0]!.get("a1");
    assertEquals(world.sessions.size, 1);
    net.sockets[0]!.get("a2");
    assertEquals([world.sessions.size, front.sent.length], [0, 2]);
    const { counters } = world.memory;
    assertEquals(
      [counters.server(0, SERVER_COLUMN.requests), counters.server(0, SERVER_COLUMN.connections)],
      [1, 1],
    );
  });
});

const REFUSED = new Error("connection refused");

Deno.test("UdpRelay what a server's port refuses goes to another server, unless one has answered", () => {
  simulateUdp({ udp: { idleMs: 1000, answers: 0 } }, ({ world, front, net }) => {
    front.get("asked", ONE);
    const [first] = net.sockets;
    first!.handler!.onProblem(REFUSED);
    const second = net.sockets[1]!;
    assertEquals([first!.closed, second.server, second.sent[0]!.text], [
      true,
      `${world.servers[1]!.host} ${world.servers[1]!.port}`,
      "asked",
    ]);
    assertEquals(world.memory.counters.server(0, SERVER_COLUMN.connectErrors), 1);
    assertEquals([world.memory.slots.active(0), world.memory.slots.active(1)], [0, 1]);
    second.get("answered");
    second.handler!.onProblem(REFUSED);
    assertEquals([world.sessions.size, front.sent.length], [0, 1]);
    assertEquals([world.log[0]!.error, world.log[0]!.retries], ["connectFailed", 1]);
  });
});

Deno.test("UdpRelay takes a client to another server when its own is down or in maintenance, not in drain", () => {
  simulateUdp({}, ({ world, front, net }) => {
    front.get("a", ONE);
    world.control.slots.setAdmin(0, "drain");
    front.get("b", ONE);
    assertEquals([net.sockets.length, net.sockets[0]!.sent.length], [1, 2]);
    for (
      const down of [
        () => world.control.slots.setAdmin(0, "maint"),
        () => world.control.slots.setUp(1, false),
      ]
    ) {
      down();
      front.get("c", ONE);
      if (net.sockets.length === 2) {
        assertEquals([net.sockets[0]!.closed, net.sockets[1]!.sent[0]!.text], [true, "c"]);
        world.control.slots.setAdmin(0, "ready");
      }
    }
    assertEquals([net.sockets.length, net.sockets[1]!.closed, net.sockets[2]!.sent[0]!.text], [3, true, "c"]);
  });
});

Deno.test("UdpRelay gives up when every server's port refuses", () => {
  simulateUdp({}, ({ world, front, net }) => {
    front.get("asked", ONE);
    for (const each of [0, 1]) net.sockets[each]!.handler!.onProblem(REFUSED);
    assertEquals([net.sockets.length, world.sessions.size, world.log[0]!.error], [2, 0, "connectFailed"]);
    assertEquals([world.memory.slots.active(0), world.memory.slots.active(1)], [0, 0]);
  });
});

Deno.test("UdpRelay refuses and counts clients: too many, without a server, not to be let in", () => {
  const count = (world: World, code: "tooManySessions" | "noServer" | "accessDenied") =>
    world.memory.counters.listener(0, LISTENER_COLUMN[code]);
  simulateUdp({ most: 1 }, ({ world, front, net }) => {
    front.get("a", ONE);
    front.get("b", OTHER);
    assertEquals([net.sockets.length, count(world, "tooManySessions")], [1, 1]);
  });
  simulateUdp({}, ({ world, front, net }) => {
    for (const slot of [0, 1]) world.control.slots.setUp(slot, false);
    front.get("a", ONE);
    assertEquals([net.sockets.length, count(world, "noServer")], [0, 1]);
  });
  simulateUdp({ guards: { access: [{ allow: ["192.0.2.1/32"], deny: [] }] } }, ({ world, front, net }) => {
    front.get("a", OTHER);
    front.get("b", ONE);
    assertEquals([net.sockets.length, count(world, "accessDenied")], [1, 1]);
  });
});

Deno.test("UdpRelay gives the place on a server back when there is no socket to it", () => {
  simulateUdp({}, ({ world, front, net }) => {
    net.refuses = true;
    front.get("a", ONE);
    assertEquals(world.memory.counters.listener(0, LISTENER_COLUMN.connectFailed), 1);
    assertEquals([world.memory.slots.active(0), world.memory.slots.active(1)], [0, 0]);
  });
});

Deno.test("UdpRelay tells of a client whose trace is sampled, as one span", () => {
  simulateUdp({ udp: { idleMs: 30_000, answers: 1 } }, ({ world, front, net }) => {
    world.reload((snapshot) => ({ ...snapshot, tracing: { sample: 1, parents: "all" } }));
    front.get("ask", ONE);
    net.sockets[0]!.get("answer");
    const [{ transport, server, bytesIn, bytesOut } = {}] = world.spans;
    assertEquals([world.spans.length, transport, server, bytesIn, bytesOut], [1, "udp", "a", 3, 6]);
  });
});
