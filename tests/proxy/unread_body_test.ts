/** Bodies of requests that are answered here: nobody wants them, and the connection stays. */
import type { RouteSnapshot } from "../../mod/config/snapshot.ts";
import { assertEquals } from "../assert.ts";
import { everyWay, simulate, type WorldOptions } from "../sim/world.ts";

const ANY: RouteSnapshot["match"] = { hosts: [], methods: [], headers: [], query: [] };
const OWN: RouteSnapshot = {
  match: { ...ANY, path: "/own" },
  action: { kind: "respond", status: 200, body: "own", contentType: "text/plain" },
};
const OPTIONS: WorldOptions = { routes: [OWN], servers: 1 };
const post = (path: string, more: string, body: string) =>
  `POST ${path} HTTP/1.1\r\nHost: a.test\r\n${more}\r\n${body}`;
const fixed = (path: string, size: number) => post(path, `Content-Length: ${size}\r\n`, "x".repeat(size));
const chunked = (body: string) => post("/own", "Transfer-Encoding: chunked\r\n", body);

Deno.test("ClientConnection reads a small body that nobody wants, and serves the next request", () => {
  everyWay((way) =>
    simulate({ ...way, ...OPTIONS }, (world) => {
      const client = world.connect();
      client.send(fixed("/own", 3000), "POST").get("/own");
      client.send(chunked("5\r\nGET /\r\n0\r\nA: b\r\n\r\n"), "POST").get("/own");
      client.send(fixed("/nowhere", 9), "POST").get("/own");
      world.settle();
      assertEquals(client.statuses, [200, 200, 200, 200, 404, 200]);
      assertEquals(client.answers.some(({ headers }) => headers.has("connection")), false);
      assertEquals(client.ended, false);
    })
  );
});

Deno.test("ClientConnection answers before such a body has come, and waits for it", () => {
  simulate(OPTIONS, (world) => {
    const client = world.connect();
    client.send(post("/own", "Content-Length: 6\r\n", "abc"), "POST");
    world.settle();
    assertEquals([client.statuses, client.ended], [[200], false]);
    client.send("def").get("/own");
    world.settle();
    assertEquals(client.statuses, [200, 200]);
    client.send(post("/own", "Content-Length: 6\r\n", "abc"), "POST");
    world.settle();
    world.run(40_000);
    assertEquals(client.ended, true, "not for ever");
  });
});

Deno.test("ClientConnection closes behind a body that is large, malformed, or perhaps not sent", () => {
  const large = "x".repeat(65_537);
  const told = [
    post("/own", "Content-Length: 65537\r\n", large),
    post("/own", "Content-Length: 3\r\nExpect: 100-continue\r\n", ""),
    post("/own", "Content-Length: 3\r\nConnection: close\r\n", "abc"),
  ];
  const untold = [chunked(`10001\r\n${large}\r\n0\r\n\r\n`), chunked("zz\r\n")];
  for (const [requests, closes] of [[told, true], [untold, false]] as const) {
    for (const request of requests) {
      simulate(OPTIONS, (world) => {
        const client = world.connect().send(request, "POST").get("/own");
        world.settle();
        assertEquals([client.statuses, client.ended], [[200], true]);
        assertEquals(client.answers[0]!.headers.get("connection"), closes ? "close" : undefined);
        assertEquals(client.answers[0]!.body, "own");
      });
    }
  }
});

Deno.test("ClientConnection stops in the middle of such a body when its client does, or its node", () => {
  simulate(OPTIONS, (world) => {
    const client = world.connect().send(post("/own", "Content-Length: 6\r\n", "abc"), "POST");
    world.settle();
    client.peer.end();
    world.settle();
    assertEquals([client.statuses, client.ended], [[200], true]);
    const other = world.connect().send(post("/own", "Content-Length: 6\r\n", "abc"), "POST");
    world.settle();
    world.drain();
    other.send("def");
    world.settle();
    assertEquals([other.statuses, other.ended], [[200], true]);
  });
});
