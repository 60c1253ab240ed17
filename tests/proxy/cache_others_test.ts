/** What one client is told never reaches another by way of the cache, nor what was asked for in one's name. */
import { assertEquals } from "../assert.ts";
import { reply, type ServedConnection } from "../sim/parties.ts";
import type { Message } from "../sim/http_text.ts";
import { ask, bodies, counting, MINUTE, statusOf, withCache, words } from "./cached_world.ts";

Deno.test("RFC 9111 section 4.1: what an answer varies by is of its own request, whatever is asked while it comes", () => {
  let slow: ServedConnection | null = null;
  withCache(
    (world) => {
      const alice = world.connect().get("/", "X-Some: thing\r\nCookie: sid=ALICE\r\n");
      world.settle();
      ask(world, ["/other?with=a&longer=target"]);
      slow!.send("ALICE");
      world.settle();
      const other = ask(world, ["/"]);
      alice.get("/", "Cookie: sid=ALICE\r\n");
      world.settle();
      assertEquals(bodies(alice.answers), ["page of ALICE", "page of ALICE"]);
      assertEquals(bodies(other.answers), ["nobody's"]);
      assertEquals(words(world), "MISS MISS MISS HIT");
    },
    { cache: { collapse: null } },
    ({ line, headers }, connection) => {
      if (line.includes("other")) return connection.send(reply(200, "other", MINUTE));
      if (!headers.has("cookie")) return connection.send(reply(200, "nobody's", `${MINUTE}Vary: Cookie\r\n`));
      slow = connection;
      connection.send(`HTTP/1.1 200 OK\r\n${MINUTE}Vary: Cookie\r\nContent-Length: 13\r\n\r\npage of `);
    },
  );
});

/** The server's word on what is stored, with a cookie in it. */
const renewing = (first: string, again: string) => ({ headers }: Message, connection: ServedConnection) => {
  const fields = `ETag: "a"\r\n`;
  if (!headers.has("if-none-match")) return connection.send(reply(200, "page", fields + first));
  const cookie = headers.get("cookie") === undefined ? "Set-Cookie: sid=new\r\n" : "";
  connection.send(`HTTP/1.1 304 Not Modified\r\n${fields}${again}${cookie}\r\n`);
};
const cookies = (answers: readonly Message[]) => answers.map(({ headers }) => headers.get("set-cookie"));
const KNOWN = "Cookie: sid=1\r\n";

Deno.test("RFC 9111 section 7.3: a cookie of a 304 is for the client whose request it was, and for nobody else", () => {
  const stale = "Cache-Control: max-age=0\r\n";
  withCache(
    (world) => {
      const known = world.connect(), fresh = world.connect();
      ask(world, ["/", KNOWN]);
      fresh.get("/");
      known.get("/", KNOWN);
      world.settle();
      assertEquals([bodies(known.answers), bodies(fresh.answers)], [["page"], ["page"]]);
      assertEquals([cookies(fresh.answers), cookies(known.answers)], [["sid=new"], [undefined]]);
      assertEquals(world.environment.cache.store.entries, 0, "it may not be shared any more");
    },
    { cache: { collapse: null } },
    renewing(stale, stale),
  );
});

Deno.test("RFC 9111 section 5.2.2.7: what a 304 says is private stays out of the store, and in the client's answer", () => {
  withCache(
    (world) => {
      const client = ask(world, ["/", KNOWN], ["/"], ["/"], ["/", 'If-None-Match: "a"\r\n']);
      assertEquals(cookies(client.answers), [undefined, "sid=new", undefined, undefined]);
      assertEquals(words(world), "MISS REVALIDATED HIT HIT");
    },
    {},
    renewing("Cache-Control: max-age=0\r\n", `Cache-Control: max-age=60, private="Set-Cookie"\r\n`),
  );
});

Deno.test("RFC 9111 section 7.3: a client that has the page still gets the cookie of its own 304", () => {
  const stale = "Cache-Control: max-age=0\r\n";
  withCache(
    (world) => {
      const client = ask(world, ["/", KNOWN], ["/", 'If-None-Match: "a"\r\n']);
      assertEquals(client.statuses, [200, 304]);
      assertEquals(cookies(client.answers), [undefined, "sid=new"]);
    },
    {},
    renewing(stale, stale),
  );
});

Deno.test("RFC 9111 section 4.3.3: parts, and answers about what the client has, leave what is stored", () => {
  for (const condition of ["Range: bytes=0-1\r\n", "Range: bytes=99-\r\n", 'If-None-Match: "mine"\r\n']) {
    withCache(
      (world) => {
        ask(world, ["/"]);
        world.run(61_000);
        ask(world, ["/", condition]);
        assertEquals(world.environment.cache.store.entries, 1, condition);
      },
      {},
      ({ headers }, connection) => {
        const range = headers.get("range");
        if (headers.has("if-none-match")) connection.send("HTTP/1.1 304 Not Modified\r\n\r\n");
        else if (range === undefined) connection.send(reply(200, "body", MINUTE));
        else if (range === "bytes=99-") connection.send(reply(416, "", "Content-Range: bytes */4\r\n"));
        else connection.send(reply(206, "bo", "Content-Range: bytes 0-1/4\r\n"));
      },
    );
  }
});

Deno.test("Caching keeps apart what proxies that are believed tell a server of scheme and host", () => {
  const ways = [
    "",
    "X-Forwarded-Proto: https\r\n",
    "X-Forwarded-Host: b.test\r\n",
    "Forwarded: for=192.0.2.9;proto=https\r\n",
    'Forwarded: @@, for=192.0.2.9;host="b.test"\r\n',
  ].map((one) => ["/", one] as const);
  for (const trusted of [true, false]) {
    withCache((world, asked) => {
      const client = ask(world, ...ways, ...ways);
      const answers = ways.map((_way, at) => `answer ${trusted ? at + 1 : 1}`);
      assertEquals(bodies(client.answers), [...answers, ...answers]);
      assertEquals(asked(), trusted ? ways.length : 1);
    }, { world: { listener: { trustedProxies: trusted ? ["192.0.2.0/24"] : [] } } });
  }
});

Deno.test("Caching a mirror gets the client's request, not what the cache makes of it", () => {
  const mirror = { pool: "copies", share: 1, body: 65536, requests: 100 };
  const condition = 'If-None-Match: "mine"\r\nX-Behind: 1\r\n';
  withCache(
    (world) => {
      world.servers[1]!.answer = (_request, connection) => connection.send(reply(200, "copy"));
      ask(world, ["/"]);
      world.run(61_000);
      ask(world, ["/", condition]);
      const [, copy] = world.servers[1]!.seen, [, own] = world.servers[0]!.seen;
      assertEquals([copy!.headers.get("if-none-match"), copy!.headers.get("x-behind")], ['"mine"', "1"]);
      assertEquals(own!.headers.get("if-none-match"), '"a"');
    },
    { route: { mirror }, world: { servers: 2, otherPools: { copies: [1] } } },
    counting(`${MINUTE}ETag: "a"\r\n`),
  );
});

Deno.test("RFC 9111 section 4.3.4: after a 304 about another tag the server is asked for the whole answer", () => {
  withCache(
    (world, asked) => {
      const client = ask(world, ["/"]);
      world.run(61_000);
      client.get("/", 'If-None-Match: "mine"\r\n').get("/");
      world.settle();
      assertEquals(client.statuses, [200, 200, 200]);
      assertEquals(bodies(client.answers), ["body 1", "body 3", "body 3"]);
      assertEquals(statusOf(client.answers[1]!), "fwd=stale; stored");
      assertEquals([asked(), words(world)], [3, "MISS EXPIRED HIT"]);
      assertEquals(world.log.map(({ error, retries }) => [error, retries]), Array(3).fill(["", 0]));
    },
    {},
    ({ headers }, connection, asked) => {
      if (headers.has("if-none-match")) {
        connection.send(`HTTP/1.1 304 Not Modified\r\n${MINUTE}ETag: "b"\r\n\r\n`);
      } else connection.send(reply(200, `body ${asked}`, `${MINUTE}ETag: "a"\r\n`));
    },
  );
});
