/** Pages of the configuration in the place of errors, Tandem's and those of servers. */
import { assertEquals } from "../assert.ts";
import { reply } from "../sim/parties.ts";
import { everyWay, type World } from "../sim/world.ts";
import { headersOf, withRules } from "./changes.ts";

const FILES = {
  "404.html": "<p>lost</p>",
  "sorry.html": "<p>sorry</p>",
  "503.txt": "full",
  "own.html": "own",
};

const LINES = [
  "errorPages: { 404: 404.html, 5xx: sorry.html, 503: 503.txt, 400: own.html }",
  "routes:",
  "  - match: { path: /pass }",
  "    pool: app",
  "  - match: { path: '/in/*' }",
  "    pool: app",
  "    interceptErrors: true",
  "    errorPages: { 401-404: own.html }",
  "    headers: { response: { set: { X-By: '$server $status' } } }",
  "  - match: { path: /says }",
  "    respond: { status: 404, body: mine }",
];

function answers(world: World, status: number, body: string, more = "", chunked = false): void {
  for (const server of world.servers) {
    server.answer = (request, connection) => {
      const head = request.line.startsWith("HEAD ");
      if (!chunked) {
        return connection.send(reply(status, body, more).slice(0, head ? -body.length : undefined));
      }
      connection.send(`HTTP/1.1 ${status} Bad\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbad\r\n`);
    };
  }
}

Deno.test("LivePages stand in the place of Tandem's own errors, the nearest range first, the route before the listener", async () => {
  await withRules(
    LINES,
    (world) => {
      const none = world.connect().get("/nowhere").get("/says").request("HEAD", "/nowhere");
      const bad = world.connect().send("GET / HTTP/1.1\r\n\r\n", "GET");
      world.settle();
      assertEquals(none.answers.map(({ body }) => body), ["<p>lost</p>", "mine", ""]);
      assertEquals(headersOf(none.answers[0], "date"), [
        "cache-control: no-store",
        "content-length: 11",
        "content-type: text/html; charset=utf-8",
      ]);
      assertEquals([none.statuses, bad.statuses, bad.answers[0]!.body], [[404, 404, 404], [400], "own"]);
      for (const server of world.servers) server.accepts = "refuses";
      const refused = world.connect().get("/pass").get("/in/x");
      world.settle();
      assertEquals(refused.answers.map(({ line, body }) => [line.split(" ")[1], body]), [["503", "full"], [
        "503",
        "full",
      ]]);
      assertEquals(refused.answers[0]!.headers.get("content-type"), "text/plain; charset=utf-8");
      assertEquals(refused.answers[1]!.headers.get("x-by"), "a 503");
      for (const server of world.servers) {
        server.accepts = "yes";
        server.answer = (_, connection) => connection.peer.end();
      }
      const empty = world.connect().request("POST", "/pass", "Content-Length: 0\r\n");
      world.settle();
      assertEquals([empty.statuses, empty.answers[0]!.body], [[502], "<p>sorry</p>"]);
    },
    {},
    FILES,
  );
});

Deno.test("LivePages stand in the place of servers' errors only where that is wanted, and keep what clients need", async () => {
  const ways: Parameters<Parameters<typeof everyWay>[0]>[0][] = [];
  everyWay((way) => ways.push(way), 3);
  for (const way of ways) {
    await withRules(
      LINES,
      (world) => {
        answers(world, 401, "secret", "WWW-Authenticate: Basic\r\nX-Other: x\r\n");
        const client = world.connect().get("/in/a").get("/pass").request("HEAD", "/in/a");
        world.settle();
        assertEquals(client.answers.map(({ body }) => body), ["own", "secret", ""]);
        assertEquals(headersOf(client.answers[0], "date", "cache-control"), [
          "content-length: 3",
          "content-type: text/html; charset=utf-8",
          "www-authenticate: Basic",
          "x-by: a 401",
        ]);
        answers(world, 200, "fine");
        answers(world, 500, "", "", true);
        // The server goes on with its answer: nothing of it reaches the next request.
        const broken = world.connect().get("/in/a").get("/nowhere");
        world.settle();
        assertEquals(broken.answers.map(({ body }) => body), ["<p>sorry</p>", "<p>lost</p>"]);
        answers(world, 410, "gone");
        const other = world.connect().get("/in/a");
        world.settle();
        assertEquals([other.statuses, other.answers[0]!.body], [[410], "gone"]);
        assertEquals(world.log.map(({ error }) => error).filter((error) => error !== ""), ["noRoute"]);
      },
      { ...way, servers: 1 },
      FILES,
    );
  }
});

Deno.test("LivePages a server's error whose whole answer is there leaves its connection in use", async () => {
  await withRules(
    LINES,
    (world) => {
      answers(world, 404, "x");
      const client = world.connect().get("/in/a");
      world.settle();
      client.get("/in/b");
      world.settle();
      assertEquals([client.statuses, world.servers[0]!.dials], [[404, 404], 1]);
      // One whose body is still on its way costs the connection of the client, not its answer.
      const upload = world.connect().send(
        "POST /in/c HTTP/1.1\r\nHost: a.test\r\nContent-Length: 9000\r\n\r\nabc",
        "POST",
      );
      for (const server of world.servers) server.onHead = (connection) => connection.send(reply(404, "no"));
      world.settle();
      assertEquals([upload.statuses, upload.answers[0]!.headers.get("connection")], [[404], "close"]);
    },
    { servers: 1 },
    FILES,
  );
});

Deno.test("Respond answers with the text of a file", async () => {
  await withRules(
    ["routes:", "  - respond: { status: 503, file: sorry.html }"],
    (world) => {
      const client = world.connect().get("/");
      world.settle();
      assertEquals([client.statuses, client.answers[0]!.body], [[503], "<p>sorry</p>"]);
      assertEquals(client.answers[0]!.headers.get("content-type"), "text/html; charset=utf-8");
    },
    {},
    FILES,
  );
});
