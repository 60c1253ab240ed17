/** Requests that a function hands on to a pool, over simulated streams: what the pool gets, with its body, and when not. */
import type { RouteSnapshot } from "../../mod/config/snapshot.ts";
import { assertEquals } from "../assert.ts";
import { reply, type ServedConnection } from "../sim/parties.ts";
import type { Message } from "../sim/http_text.ts";
import { everyWay, simulate, type World, type WorldOptions } from "../sim/world.ts";

const match = { hosts: [], methods: [], headers: [], query: [] };
const ROUTE: RouteSnapshot = { match, action: { kind: "pool", pool: "function:f" }, next: ["app"] };
const TO_APP = "tandem-next: app\r\n";
const LARGE = "x".repeat(5000);

/** The first server is the pool's, the second the function. */
function world(more: WorldOptions = {}, route: RouteSnapshot = ROUTE): WorldOptions {
  return { servers: 2, otherPools: { "function:f": [1] }, routes: [route], ...more };
}

function functionAnswers(
  world: World,
  answer: (request: Message, connection: ServedConnection) => void,
): void {
  world.servers[1]!.answer = answer;
}

/** What the servers saw, without what is of no interest. */
function seen(world: World, server: number): string[] {
  const shown = new Set(["content-length", "transfer-encoding", "expect", "tandem-body", "x-a", "x-user"]);
  return world.servers[server]!.seen.map(({ line, headers, body }) => {
    const fields = [...headers].filter(([name]) => shown.has(name)).map(([name, value]) =>
      `${name}=${value}`
    );
    return [line.split(" ", 2).join(" "), ...fields, body.length].join(" ");
  });
}

const SEND_ALL = (world: World) =>
  world.connect()
    .get("/get", "X-A: 1\r\n")
    .request("POST", "/small", "Content-Length: 4\r\n", "body")
    .request("PUT", "/large", `Content-Length: ${LARGE.length}\r\n`, LARGE)
    .request("POST", "/chunked", "Transfer-Encoding: chunked\r\n", `1388\r\n${LARGE}\r\n0\r\n\r\n`);

Deno.test("HandingOn a request reaches the pool whole, however long its body is", () => {
  everyWay((way) =>
    simulate(world(way), (world) => {
      functionAnswers(world, (_, connection) => connection.send(reply(200, "", TO_APP)));
      const client = SEND_ALL(world);
      world.settle();
      assertEquals(client.statuses, [200, 200, 200, 200]);
      assertEquals(client.answers.map(({ body }) => body.slice(0, 5)), ["a GET", "a POS", "a PUT", "a POS"]);
      assertEquals(seen(world, 0), [
        "GET /get x-a=1 0",
        "POST /small content-length=4 4",
        "PUT /large content-length=5000 5000",
        "POST /chunked transfer-encoding=chunked 5000",
      ]);
      assertEquals(seen(world, 1).slice(2), [
        "PUT /large tandem-body=held 0",
        "POST /chunked tandem-body=held 0",
      ]);
      assertEquals(world.log.map(({ pool }) => pool), ["app", "app", "app", "app"]);
    }), 5);
});

Deno.test("HandingOn a function that wants the body gets the request again with it, and answers that", () => {
  everyWay((way) =>
    simulate(world(way), (world) => {
      functionAnswers(world, ({ headers, body }, connection) => {
        const wants = headers.get("tandem-body") === "held";
        connection.send(wants ? reply(200, "", "tandem-body: w1\r\n") : reply(200, `got ${body.length}`));
      });
      const client = SEND_ALL(world);
      world.settle();
      assertEquals(client.answers.map(({ body }) => body), ["got 0", "got 4", "got 5000", "got 5000"]);
      assertEquals(seen(world, 0), []);
      assertEquals(seen(world, 1).slice(3, 4), ["PUT /large content-length=5000 tandem-body=w1 5000"]);
    }), 5);
});

Deno.test("HandingOn a client that waits for 100 sends its body only when somebody reads it", () => {
  simulate(world(), (world) => {
    functionAnswers(world, (_, connection) => connection.send(reply(403, "no")));
    const client = world.connect();
    client.send(
      "PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n",
      "PUT",
    );
    world.settle();
    assertEquals([client.statuses, client.answers[0]?.interim], [[403], []]);
    assertEquals(seen(world, 1), ["PUT / tandem-body=held 0"]);
  });
  simulate(world(), (world) => {
    functionAnswers(world, (_, connection) => connection.send(reply(200, "", TO_APP)));
    world.servers[0]!.onHead = (connection) => connection.send("HTTP/1.1 100 Continue\r\n\r\n");
    const client = world.connect();
    client.send(
      "PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n",
      "PUT",
    );
    world.settle();
    assertEquals(seen(world, 0), [], "the body is still with the client");
    client.send(LARGE);
    world.settle();
    assertEquals(client.answers.map(({ interim, line }) => [interim, line.slice(9, 12)]), [[[100], "200"]]);
    assertEquals(seen(world, 0), ["PUT / content-length=5000 expect=100-continue 5000"]);
  });
});

Deno.test("HandingOn fields are set and removed, but none that frames the message", () => {
  simulate(world(), (world) => {
    const changes =
      "tandem-request-x-user: ada\r\ntandem-request-X-A: 2\r\ntandem-request-content-length: 9\r\n" +
      "tandem-remove: user-agent, content-length,host\r\ntandem-remove: referer\r\n";
    functionAnswers(world, (_, connection) => connection.send(reply(200, "", TO_APP + changes)));
    const client = world.connect();
    const more = "X-A: 1\r\nx-a: 11\r\nUser-Agent: test\r\nReferer: r\r\nContent-Length: 4\r\n";
    client.request("POST", "/", more, "Host");
    world.settle();
    assertEquals(client.statuses, [200]);
    assertEquals(seen(world, 0), ["POST / content-length=4 x-user=ada x-a=2 4"]);
    const { headers } = world.servers[0]!.seen[0]!;
    assertEquals([headers.has("user-agent"), headers.has("referer"), headers.get("host")], [
      false,
      false,
      "a.test",
    ]);
  });
});

Deno.test("HandingOn heeds nobody but a function whose route says so", () => {
  const says = (_: Message, connection: ServedConnection) => connection.send(reply(200, "mine", TO_APP));
  simulate(world(), (world) => {
    functionAnswers(world, says);
    world.servers[0]!.answer = says;
    const client = world.connect().get("/");
    world.settle();
    assertEquals(
      [client.answers[0]?.body, seen(world, 0).length],
      ["mine", 1],
      "the pool's own word is its answer",
    );
  });
  simulate(world({}, { match, action: ROUTE.action }), (world) => {
    functionAnswers(world, says);
    const client = world.connect().get("/", "tandem-body: held\r\n");
    world.settle();
    assertEquals([client.answers[0]?.body, seen(world, 0).length], ["mine", 0]);
  });
  simulate(world(), (world) => {
    functionAnswers(world, (_, connection) => connection.send(reply(200, "mine", "tandem-body: w\r\n")));
    const client = world.connect().get("/", "tandem-body: held\r\n");
    world.settle();
    assertEquals(
      [client.answers[0]?.body, seen(world, 1)],
      ["mine", ["GET / 0"]],
      "a client cannot hold a body",
    );
  });
});

Deno.test("HandingOn to a pool that the route does not name, or with too much, is an error", () => {
  const tooMuch = `${TO_APP}tandem-request-x: ${"x".repeat(9000)}\r\n`;
  for (const answer of ["tandem-next: other\r\n", tooMuch]) {
    simulate(world(), (world) => {
      functionAnswers(world, (_, connection) => connection.send(reply(200, "", answer)));
      const client = world.connect().get("/");
      world.settle();
      assertEquals([client.statuses, world.log[0]?.error, seen(world, 0)], [[502], "badHandOn", []]);
    });
  }
});

Deno.test("HandingOn a request goes to the session of its cookie", () => {
  const sticky = {
    kind: "cookie" as const,
    mode: "rewrite" as const,
    name: "S",
    indirect: true,
    noCache: false,
    preserve: false,
    maxIdleMs: 0,
    maxLifeMs: 0,
    attributes: "",
    redispatch: true,
  };
  const servers = [{ id: "one" }, { id: "two" }, {}];
  simulate(world({ servers, otherPools: { "function:f": [2] }, pool: { sticky } }), (world) => {
    world.servers[2]!.answer = (_, connection) => connection.send(reply(200, "", TO_APP));
    const client = world.connect();
    for (let i = 0; i < 3; i++) client.get("/", "Cookie: S=two\r\n");
    world.settle();
    assertEquals(world.servers.map(({ seen }) => seen.length), [0, 3, 3]);
  });
});
