/** Answers from the cache, through a whole worker: what is stored, for whom, and what is done to it. */
import { LISTENER_COLUMN } from "../../mod/base/counters.ts";
import { assertEquals } from "../assert.ts";
import { reply } from "../sim/parties.ts";
import { everyWay, simulate } from "../sim/world.ts";
import { ANY, ask, bodies, CACHE, counting, MINUTE, statusOf, withCache, words } from "./cached_world.ts";

Deno.test("Caching answers from what is stored, however the bytes are cut", () => {
  everyWay((way) =>
    withCache((world, asked) => {
      const client = ask(world, ["/a"], ["/a"], ["/b"], ["/a", "", "HEAD"]);
      assertEquals(bodies(client.answers), ["answer 1", "answer 1", "answer 2", ""]);
      assertEquals(client.answers.map(({ headers }) => headers.get("content-length")), ["8", "8", "8", "8"]);
      assertEquals(client.answers.map(statusOf), [
        "fwd=uri-miss; stored",
        "hit",
        "fwd=uri-miss; stored",
        "hit",
      ]);
      assertEquals([asked(), words(world)], [2, "MISS HIT MISS HIT"]);
      assertEquals(world.log[1]!.server, "");
    }, { world: way })
  );
});

Deno.test("RFC 9111 section 4.2: an answer is used until it is too old, and tells its age", () => {
  withCache((world) => {
    const client = ask(world, ["/"]);
    for (const seconds of [30, 29, 2]) {
      world.run(seconds * 1000);
      client.get("/");
      world.settle();
    }
    assertEquals(bodies(client.answers), ["answer 1", "answer 1", "answer 1", "answer 2"]);
    assertEquals(client.answers.map(({ headers }) => headers.get("age")), [undefined, "30", "59", undefined]);
    assertEquals(words(world), "MISS HIT HIT EXPIRED");
  });
});

Deno.test("Caching gives bodies of every framing and size, also to those who read slowly", () => {
  const LARGE = "0123456789".repeat(900);
  everyWay((way) =>
    withCache(
      (world, asked) => {
        const paths = ["/length", "/chunked", "/close", "/empty"];
        ask(world, ...paths.map((path) => [path] as const));
        const client = world.connect();
        for (const path of paths) client.get(path);
        world.settle();
        assertEquals(bodies(client.answers), [LARGE, LARGE, LARGE, ""]);
        assertEquals(client.answers.map(({ headers }) => headers.get("content-length")), [
          "9000",
          "9000",
          "9000",
          "0",
        ]);
        assertEquals(asked(), 4);
      },
      { world: way },
      ({ line }, connection) => {
        if (line.includes("/empty")) connection.send(reply(200, "", MINUTE));
        else if (line.includes("/length")) connection.send(reply(200, LARGE, MINUTE));
        else if (line.includes("/chunked")) {
          connection.send(
            `HTTP/1.1 200 OK\r\n${MINUTE}Transfer-Encoding: chunked\r\n\r\n` +
              `1b58\r\n${LARGE.slice(0, 7000)}\r\n7d0\r\n${LARGE.slice(7000)}\r\n0\r\n\r\n`,
          );
        } else {
          connection.send(`HTTP/1.1 200 OK\r\n${MINUTE}\r\n${LARGE}`);
          connection.peer.end();
        }
      },
    ), 1);
});

Deno.test("RFC 9111 section 3: what may not be shared goes to everybody anew", () => {
  for (
    const [more, request] of [
      ["Cache-Control: private, max-age=60\r\n", ""],
      ["Cache-Control: no-store\r\n", ""],
      [`${MINUTE}Set-Cookie: sid=1\r\n`, ""],
      [`${MINUTE}Vary: *\r\n`, ""],
      ["", ""],
      [MINUTE, "Authorization: Basic eDp5\r\n"],
      [MINUTE, "Cache-Control: no-store\r\n"],
    ] as const
  ) {
    withCache(
      (world, asked) => {
        const client = ask(world, ["/", request], ["/", request]);
        assertEquals(bodies(client.answers), ["answer 1", "answer 2"], more + request);
        assertEquals([asked(), world.environment.cache.store.entries], [2, 0], more + request);
      },
      {},
      counting(more),
    );
  }
});

Deno.test("Caching does not store what is broken off, larger than an object, or followed by more", () => {
  const answers: Record<string, string> = {
    "/broken": `HTTP/1.1 200 OK\r\n${MINUTE}Content-Length: 100\r\n\r\nhalf`,
    "/large": reply(200, "x".repeat(65 * 1024), MINUTE),
    "/chunked": `HTTP/1.1 200 OK\r\n${MINUTE}Transfer-Encoding: chunked\r\n\r\n10400\r\n${
      "x".repeat(0x10400)
    }\r\n0\r\n\r\n`,
    "/more": `${reply(200, "body", MINUTE)}more`,
  };
  for (const path of Object.keys(answers)) {
    withCache(
      (world, asked) => {
        ask(world, [path]);
        ask(world, [path]);
        assertEquals([asked(), world.environment.cache.store.entries], [2, 0], path);
      },
      {},
      (_request, connection) => {
        connection.send(answers[path]!);
        connection.peer.end();
      },
    );
  }
});

Deno.test("RFC 9111 section 4.1: an answer is for requests that are alike in what it varies by", () => {
  withCache(
    (world, asked) => {
      const languages = ["de", "en", "de", "en", ""].map((one) => `Accept-Language: ${one}\r\n`);
      const client = ask(world, ...languages.map((one) => ["/", one] as const));
      assertEquals(bodies(client.answers), ["de", "en", "de", "en", ""]);
      assertEquals(asked(), 3);
      assertEquals(statusOf(client.answers[1]!), "fwd=vary-miss; stored");
    },
    {},
    ({ headers }, connection) =>
      connection.send(reply(200, headers.get("accept-language") ?? "", `${MINUTE}Vary: Accept-Language\r\n`)),
  );
});

Deno.test("RFC 9111 section 4.3: what is too old is asked about by its tag, and used when it is still good", () => {
  const seen: (string | undefined)[] = [];
  withCache(
    (world) => {
      const client = ask(world, ["/"]);
      world.run(61_000);
      client.get("/", 'If-None-Match: "client"\r\nRange: bytes=0-1\r\n');
      world.settle();
      client.get("/").get("/", 'If-None-Match: "a"\r\n');
      world.settle();
      assertEquals(client.statuses, [200, 206, 200, 304]);
      assertEquals(bodies(client.answers), ["body", "bo", "body", ""]);
      assertEquals(client.answers[2]!.headers.get("x-answer"), "2", "fields are renewed");
      assertEquals(seen, [undefined, '"a"']);
      assertEquals(words(world), "MISS REVALIDATED HIT HIT");
      assertEquals(statusOf(client.answers[1]!), "fwd=stale; fwd-status=304");
    },
    {},
    ({ headers }, connection, asked) => {
      seen.push(headers.get("if-none-match"));
      const fields = `${MINUTE}ETag: "a"\r\nX-Answer: ${asked}\r\n`;
      if (headers.has("if-none-match")) connection.send(`HTTP/1.1 304 Not Modified\r\n${fields}\r\n`);
      else connection.send(reply(200, "body", fields));
    },
  );
});

Deno.test("RFC 9111 section 4.3.2: clients that have it already are told so, and get the range that they want", () => {
  withCache(
    (world, asked) => {
      const client = ask(
        world,
        ["/"],
        ["/", 'If-None-Match: W/"a"\r\n'],
        ["/", "Range: bytes=2-3\r\n"],
        ["/", "Range: bytes=99-\r\n"],
        ["/", 'Range: bytes=0-0\r\nIf-Range: "b"\r\n'],
      );
      assertEquals(client.statuses, [200, 304, 206, 416, 200]);
      assertEquals(bodies(client.answers), ["answer 1", "", "sw", "", "answer 1"]);
      assertEquals(client.answers[2]!.headers.get("content-range"), "bytes 2-3/8");
      assertEquals(client.answers[3]!.headers.get("content-range"), "bytes */8");
      assertEquals(asked(), 1);
    },
    {},
    counting(`${MINUTE}ETag: "a"\r\n`),
  );
});

Deno.test("RFC 9111 section 4.3.2: conditions that only the origin can judge go there", () => {
  withCache((world, asked) => {
    ask(world, ["/"], ["/", 'If-Match: "x"\r\n'], [
      "/",
      "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n",
    ]);
    assertEquals([asked(), words(world)], [3, "MISS BYPASS BYPASS"]);
  });
});

Deno.test("Caching passes a condition on when nothing is stored, and stores nothing of a 304 or a part", () => {
  withCache(
    (world) => {
      const client = ask(world, ["/", 'If-None-Match: "a"\r\n'], ["/", "Range: bytes=0-1\r\n"], ["/"]);
      assertEquals(client.statuses, [304, 206, 200]);
      assertEquals(world.environment.cache.store.entries, 1);
    },
    {},
    ({ headers }, connection) => {
      if (headers.has("if-none-match")) {
        connection.send(`HTTP/1.1 304 Not Modified\r\n${MINUTE}ETag: "a"\r\n\r\n`);
      } else if (headers.has("range")) {
        connection.send(reply(206, "bo", `${MINUTE}Content-Range: bytes 0-1/4\r\n`));
      } else connection.send(reply(200, "body", MINUTE));
    },
  );
});

Deno.test("RFC 9111 section 4.3.3: a new answer takes the place of the old one", () => {
  withCache(
    (world) => {
      const client = ask(world, ["/"]);
      world.run(61_000);
      client.get("/");
      world.settle();
      client.get("/");
      world.settle();
      assertEquals(bodies(client.answers), ["answer 1", "answer 2", "answer 2"]);
      assertEquals(world.environment.cache.store.entries, 1);
    },
    {},
    (_request, connection, asked) =>
      connection.send(reply(200, `answer ${asked}`, `${MINUTE}ETag: "${asked}"\r\n`)),
  );
});

Deno.test("Caching bypasses what the configuration says, and what has a body", () => {
  const bypass = [{ ...ANY, headers: [["x-preview", true]] as const }];
  withCache((world, asked) => {
    const client = ask(world, ["/"], ["/", "X-Preview: 1\r\n"], ["/"]);
    client.request("GET", "/", "Content-Length: 1\r\n", "x");
    world.settle();
    assertEquals(bodies(client.answers), ["answer 1", "answer 2", "answer 1", "answer 3"]);
    assertEquals([asked(), words(world)], [3, "MISS BYPASS HIT BYPASS"]);
    assertEquals(statusOf(client.answers[1]!), "fwd=bypass");
  }, { cache: { bypass } });
});

Deno.test("Caching heeds what requests say of ages only where it is told to", () => {
  for (const requestDirectives of [false, true]) {
    withCache((world, asked) => {
      ask(world, ["/"], ["/", "Cache-Control: no-cache\r\n"]);
      assertEquals(asked(), requestDirectives ? 2 : 1);
    }, { cache: { requestDirectives } });
  }
});

Deno.test("RFC 9111 section 5.2.1.7: who wants only what is stored gets that, or 504, and no server is asked", () => {
  const only = "Cache-Control: only-if-cached\r\n";
  withCache((world, asked) => {
    const client = ask(world, ["/", only], ["/"], ["/", only], ["/b", only, "HEAD"]);
    assertEquals(client.statuses, [504, 200, 200, 504]);
    world.run(61_000);
    ask(world, ["/", only]);
    assertEquals([asked(), words(world)], [1, "MISS MISS HIT MISS MISS"]);
    assertEquals(world.log.at(-1)!.error, "notStored");
  }, { cache: { requestDirectives: true } });
});

Deno.test("Caching keeps answers of routes apart that make something else of requests", () => {
  const route = (path: string, identity: string) => ({
    match: { ...ANY, headers: [["x-way", identity]] as const },
    action: { kind: "pool" as const, pool: "app" },
    rewrite: { path, stripPrefix: "", replace: [], addPrefix: "", query: null, host: null },
    cache: { ...CACHE, identity },
  });
  simulate({ servers: 1, routes: [route("/one", "1"), route("/two", "2")] }, (world) => {
    world.environment.cache.store.resize(65536, 65536);
    world.servers[0]!.answer = ({ line }, connection) => connection.send(reply(200, line, MINUTE));
    const client = ask(world, ["/", "X-Way: 1\r\n"], ["/", "X-Way: 2\r\n"], ["/", "X-Way: 1\r\n"]);
    assertEquals(bodies(client.answers), ["GET /one HTTP/1.1", "GET /two HTTP/1.1", "GET /one HTTP/1.1"]);
    assertEquals(words(world), "MISS MISS HIT");
  });
});

Deno.test("Caching works with rules and compression: both are done to what is stored", () => {
  const TEXT = "some text ".repeat(300);
  const response = {
    remove: [],
    replace: [],
    set: [["X-Cache", "$cacheStatus"], ["X-For", "$header(x-user)"]] as const,
    add: [],
    location: [],
    cookieDomain: [],
    cookiePath: [],
  };
  withCache(
    (world, asked) => {
      const accept = "Accept-Encoding: gzip\r\n";
      const client = ask(world, ["/", "X-User: a\r\n"], ["/", "X-User: b\r\n"], ["/", accept], [
        "/",
        `${accept}Range: bytes=0-3\r\n`,
      ]);
      const header = (name: string) => client.answers.map(({ headers }) => headers.get(name));
      assertEquals(header("x-cache"), ["MISS", "HIT", "HIT", "HIT"]);
      assertEquals(header("x-for").slice(0, 2), ["a", "b"]);
      assertEquals(header("content-encoding"), [undefined, undefined, "gzip", undefined]);
      assertEquals(header("etag"), ['"a"', '"a"', 'W/"a"', '"a"']);
      assertEquals(header("vary"), Array(4).fill("Accept-Encoding"));
      assertEquals([client.answers[3]!.body, asked()], ["some", 1]);
    },
    {
      route: {
        headers: { response },
        compress: {
          encodings: ["gzip"],
          types: ["text/plain"],
          minSize: 100,
          levels: { gzip: 4, br: 4, zstd: 3 },
        },
      },
    },
    (_request, connection) =>
      connection.send(reply(200, TEXT, `${MINUTE}Content-Type: text/plain\r\nETag: "a"\r\n`)),
  );
});

Deno.test("Caching an error page stands in the place of a stored error too", () => {
  const errorPages = {
    intercept: true,
    pages: [{ first: 404, last: 404, body: "our page", contentType: "text/plain" }],
  };
  withCache(
    (world) => {
      const client = ask(world, ["/"], ["/"]);
      assertEquals(bodies(client.answers), ["our page", "our page"]);
      assertEquals(client.statuses, [404, 404]);
    },
    { route: { errorPages } },
    counting(MINUTE, 404),
  );
});

Deno.test("Caching counts what became of requests, in its listener's counters", () => {
  withCache((world) => {
    ask(world, ["/"], ["/"], ["/", "Content-Length: 0\r\n", "POST"]);
    const count = (name: "cacheHits" | "cacheMisses" | "cacheBypassed") =>
      world.memory.counters.listener(0, LISTENER_COLUMN[name]);
    assertEquals([count("cacheHits"), count("cacheMisses"), count("cacheBypassed")], [1, 1, 1]);
  });
});

Deno.test("Caching a mirror gets its copy whether the answer is stored or not", () => {
  const mirror = { pool: "copies", share: 1, body: 65536, requests: 100 };
  withCache(
    (world) => {
      let copies = 0;
      world.servers[1]!.answer = (_request, connection) => {
        copies++;
        connection.send(reply(200, "copy"));
      };
      ask(world, ["/"], ["/"]);
      world.run(61_000);
      ask(world, ["/"]);
      assertEquals(copies, 3);
    },
    { route: { mirror }, world: { servers: 2, otherPools: { copies: [1] } } },
    counting(`${MINUTE}ETag: "a"\r\n`),
  );
});
