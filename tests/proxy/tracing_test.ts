/** Traces of requests, in the simulator: what servers are told, and what is told of it. */
import type { TracingSnapshot } from "../../mod/config/snapshot.ts";
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { reply } from "../sim/parties.ts";
import { simulate, type World } from "../sim/world.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";
const SAMPLED = `traceparent: 00-${TRACE}-${PARENT}-01\r\n`;
const UNSAMPLED = `traceparent: 00-${TRACE}-${PARENT}-00\r\n`;
const STATE = "tracestate: vendor=opaque\r\n";

function trace(world: World, terms: Partial<TracingSnapshot>): void {
  world.reload((snapshot) => ({ ...snapshot, tracing: { sample: 0, parents: "all", ...terms } }));
}

/** The fields about traces that the server got with the last request. */
function told({ servers }: World): string[] {
  const { headers } = servers[0]!.seen.at(-1)!;
  return [...headers].filter(([name]) => name.startsWith("trace")).map((pair) => pair.join(": "));
}

Deno.test("Tracing what is not configured costs nothing: fields about traces travel as any others", () => {
  simulate({ servers: 1 }, (world) => {
    world.connect().get("/", "traceparent: nonsense\r\n" + STATE);
    world.settle();
    assertEquals(told(world), ["traceparent: nonsense", "tracestate: vendor=opaque"]);
    assertEquals(world.spans, []);
  });
});

Deno.test("Tracing goes on with a trace that is sampled, as the server's parent, and passes its state on", () => {
  simulate({ servers: 1 }, (world) => {
    trace(world, {});
    world.connect().get("/a", SAMPLED + STATE);
    world.settle();
    const [{ ids = "", continued = false, route = "" } = {}] = world.spans;
    const span = ids.slice(32, 48);
    assertEquals([ids.slice(0, 32), ids.slice(48), continued], [TRACE, PARENT, true]);
    assertEquals(told(world).toSorted(), [
      `traceparent: 00-${TRACE}-${span}-01`,
      "tracestate: vendor=opaque",
    ]);
    assertEquals(route, "");
  });
});

Deno.test("Tracing leaves a trace alone that is not sampled, whatever share is", () => {
  simulate({ servers: 1 }, (world) => {
    trace(world, { sample: 1 });
    world.connect().get("/", UNSAMPLED + STATE);
    world.settle();
    assertEquals(told(world).toSorted(), [UNSAMPLED.trimEnd(), STATE.trimEnd()]);
    assertEquals(world.spans, []);
  });
});

Deno.test("Tracing begins a trace where there is none that counts, sampled or not, and tells the server so", () => {
  const bad = ["", "traceparent: 00-0-0-00\r\n" + STATE, SAMPLED + SAMPLED + STATE, STATE];
  for (const sample of [0, 1]) {
    simulate({ servers: 1 }, (world) => {
      trace(world, { sample });
      for (const more of bad) {
        world.connect().get("/", more);
        world.settle();
        const [line = "", ...rest] = told(world);
        assertEquals(rest, [], `${more}: a state of no trace does not travel on`);
        assertMatch(line, new RegExp(`^traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-0${sample}$`));
        assert(!line.includes(TRACE));
      }
      assertEquals(world.spans.length, sample * bad.length);
      assertEquals(new Set(world.spans.map(({ ids }) => ids.slice(0, 48))).size, sample * bad.length);
      assert(world.spans.every(({ continued }) => !continued));
    });
  }
});

Deno.test("Tracing believes only whom it is told to believe", () => {
  const cases = [["none", true, false], ["trusted", true, true], ["trusted", false, false], [
    "all",
    false,
    true,
  ]] as const;
  for (const [parents, trusted, goesOn] of cases) {
    simulate({ servers: 1, listener: { trustedProxies: trusted ? ["0.0.0.0/0", "::/0"] : [] } }, (world) => {
      trace(world, { parents });
      world.connect().get("/", SAMPLED);
      world.settle();
      assertEquals(told(world)[0]!.includes(TRACE), goesOn, `${parents} ${trusted}`);
    });
  }
});

Deno.test("Tracing one span tells of all attempts, and of requests that no server gets; none of what cannot be read", () => {
  simulate({ servers: 2, pool: { retry: { on: ["connect", 503] } } }, (world) => {
    trace(world, { sample: 1 });
    world.servers[0]!.answer = world.servers[1]!.answer = (_, connection) => connection.send(reply(503, ""));
    world.connect().get("/");
    world.settle();
    assertEquals([world.spans.length, world.log.length], [1, 1]);
    const seen = world.servers.flatMap(({ seen }) => seen);
    const parents = seen.map(({ headers }) => headers.get("traceparent"));
    assertEquals([seen.length, new Set(parents).size], [2, 1]);
    world.connect().send("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", "GET");
    world.settle();
    assertEquals([world.spans.length, world.log.length], [1, 2]);
  });
});

Deno.test("Tracing tells of a connection when it has ended, with what it carried, and of one that came to nothing", () => {
  simulate({ protocol: "tcp" }, (world) => {
    trace(world, { sample: 1 });
    world.servers[0]!.onConnect = (connection) => connection.send("hello");
    const client = world.connectPeer();
    client.send("hi");
    world.settle();
    assertEquals(world.spans, []);
    client.end();
    world.settle();
    for (const slot of [0, 1]) world.control.slots.setUp(slot, false);
    world.connectPeer();
    world.settle();
    const told = world.spans.map(({ transport, server, error, bytesIn, bytesOut }) =>
      [transport, server, error, bytesIn, bytesOut].join(" ")
    );
    assertEquals(told, ["tcp a  2 5", "tcp  noServer 0 0"]);
    const [first, second] = world.spans;
    assertMatch(first!.ids.slice(0, 48), /^(?!0{32})[0-9a-f]{48}$/);
    assert(!first!.continued && first!.ids !== second!.ids);
  });
});

Deno.test("Tracing what is not sampled, or not configured, of connections is not told", () => {
  for (const sample of [null, 0]) {
    simulate({ protocol: "tcp" }, (world) => {
      if (sample !== null) trace(world, { sample });
      world.connectPeer().end();
      world.settle();
      assertEquals([world.spans.length, world.log.length], [0, 1]);
    });
  }
});

Deno.test("Tracing does not tell of a connection of http that came to no request", () => {
  simulate({ listener: { proxyProtocol: { from: ["0.0.0.0/0"] } } }, (world) => {
    trace(world, { sample: 1 });
    world.connectPeer().send("GET / HTTP/1.1\r\n\r\n");
    world.settle();
    assertEquals([world.spans.length, world.log[0]!.error], [0, "badProxyHeader"]);
  });
});
