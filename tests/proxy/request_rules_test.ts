/** What servers get of a request when a route has rules for it. */
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { everyWay, type World } from "../sim/world.ts";
import { headersOf, seenBy, withRules } from "./changes.ts";

/** What is always added, and not what is looked at. */
const ADDED = [
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
  "x-request-id",
];

function ask(world: World, target: string, more = ""): { line: string; headers: string[] } {
  const before = seenBy(world).length;
  const client = world.connect().get(target, more);
  world.settle();
  assertEquals(client.statuses, [200]);
  const request = seenBy(world).at(-1)!;
  assertEquals(seenBy(world).length, before + 1);
  return { line: request.line, headers: headersOf(request, ...ADDED) };
}

Deno.test("RequestEdit sets, adds, removes and replaces headers, with variables, however the bytes are cut", async () => {
  const lines = [
    "headers: { request: { remove: [X-Debug, X-Internal-*], set: { X-Edge: tandem } } }",
    "routes:",
    "  - match: { path: '/users/:id' }",
    "    pool: app",
    "    headers:",
    "      request:",
    "        set:",
    "          X-Client: '$clientAddress:$clientPort'",
    "          X-To: '$listener/$scheme/$host/$authority/$method'",
    "          X-What: '$uri $path $query $query(b)'",
    "          X-Id: '$capture(path.id)'",
    "          X-Cost: '5$$'",
    "          X-None: '$header(x-absent)'",
    "          X-Parted: '$(host)name'",
    "        add: { X-Tag: [one, two] }",
    "        replace: { name: X-Old, match: '^(\\w+)-(\\w+)$', with: '$2-$1 $cookie(sid)' }",
    "  - pool: app",
  ];
  const ways: Parameters<Parameters<typeof everyWay>[0]>[0][] = [];
  everyWay((way) => ways.push(way), 4);
  for (const way of ways) {
    await withRules(lines, (world) => {
      const more =
        "X-DEBUG: 1\r\nx_debug: 2\r\nX-Internal-A: 3\r\nX-Edge: forged\r\nx-tag: zero\r\nX-Old: a-b\r\n" +
        "X-None: here\r\nCookie: a=1; sid=s 1\r\nX-Kept: k\r\n";
      assertEquals(ask(world, "/users/7?a=1&b=%20x", more), {
        line: "GET /users/7?a=1&b=%20x HTTP/1.1",
        headers: [
          "cookie: a=1; sid=s 1",
          "host: a.test",
          "x-client: 192.0.2.7:1000",
          "x-cost: 5$",
          "x-edge: tandem",
          "x-id: 7",
          "x-kept: k",
          "x-old: b-a s 1",
          "x-parted: a.testname",
          "x-tag: zero, one, two",
          "x-to: web/http/a.test/a.test/GET",
          "x-what: /users/7?a=1&b=%20x /users/7 a=1&b=%20x %20x",
        ],
      });
      // The listener's rules alone.
      assertEquals(ask(world, "/", "X-Debug: 1\r\nX-Kept: k\r\n").headers, [
        "host: a.test",
        "x-edge: tandem",
        "x-kept: k",
      ]);
    }, way);
  }
});

Deno.test("RequestEdit rules reach what Tandem adds itself, and the request's id is one for all", async () => {
  await withRules([
    "routes:",
    "  - pool: app",
    "    headers:",
    "      request: { remove: [Via, Forwarded], set: { X-Forwarded-For: '$clientAddress', X-Trace: '$requestId' } }",
    "      response: { set: { X-Request-Id: '$requestId' } }",
  ], (world) => {
    const client = world.connect().get("/1", "Via: 1.1 x\r\nX-Forwarded-For: 6.6.6.6\r\n").get("/2");
    world.settle();
    for (const [at, request] of seenBy(world).entries()) {
      const { headers } = request;
      assertEquals([headers.has("via"), headers.has("forwarded")], [false, false]);
      assertEquals(headers.get("x-forwarded-for"), "192.0.2.7");
      assertEquals(headers.get("x-forwarded-host"), "a.test");
      assertEquals(headers.get("x-trace"), headers.get("x-request-id"));
      assertEquals(client.answers[at]!.headers.get("x-request-id"), headers.get("x-request-id"));
    }
  }, { servers: 1 });
  // Left out, it is still in the log and in variables.
  await withRules([
    "routes:",
    "  - pool: app",
    "    headers: { request: { remove: X-Request-Id }, response: { set: { X-Id: $requestId } } }",
  ], (world) => {
    const client = world.connect().get("/");
    world.settle();
    assertEquals(seenBy(world)[0]!.headers.has("x-request-id"), false);
    assert(/^\d+$/.test(client.answers[0]!.headers.get("x-id")!));
  });
});

Deno.test("RequestEdit never lets a value break out of its line", async () => {
  await withRules([
    "routes:",
    "  - match: { path: '/:name/*' }",
    "    pool: app",
    "    headers: { request: { set: { X-A: '$query(a)|$capture(path.name)|$header(x)' } } }",
    "    rewrite: { path: '/n/$header(x)/:name' }",
  ], (world) => {
    const { line, headers } = ask(world, "/%0d%0aX-B:1/?a=%0d%0aX-C:1%00", "X: ../a b?#%\xe9\r\n");
    assertStringIncludes(headers.join("\n"), "x-a: %0d%0aX-C:1%00|%0D%0AX-B:1|../a b?#%\xe9");
    // Dot segments that a value brings are taken out like all others.
    assertEquals(line, "GET /a%20b%3F%23%25%E9/%0D%0AX-B:1?a=%0d%0aX-C:1%00 HTTP/1.1");
  });
});

const REWRITES: [rule: string, target: string, sent: string][] = [
  ["{ stripPrefix: /api }", "/api/x?q=1", "/x?q=1"],
  ["{ stripPrefix: /api }", "/api", "/"],
  ["{ stripPrefix: /api }", "/%61pi/x", "/x"],
  ["{ stripPrefix: /api }", "/apix", "/apix"],
  ["{ stripPrefix: /api/ }", "/other/../api/x%2Fy", "/x%2Fy"],
  ["{ addPrefix: /v1 }", "/x", "/v1/x"],
  ["{ stripPrefix: /a, addPrefix: /b }", "/a/c", "/b/c"],
  ["{ stripPrefix: /a, addPrefix: /b }", "/a", "/b"],
  ["{ path: '/u/:id/$method' }", "/7", "/u/7/GET"],
  ["{ replace: { match: '^/(\\d+)$', with: '/n/$1' } }", "/12", "/n/12"],
  ["{ replace: { match: '^/(\\d+)$', with: '/n/$1' } }", "/x", "/x"],
  ["{ replace: [{ match: a, with: b }, { match: '^/b', with: '/c/$host/' }] }", "/aa", "/c/a.test/a"],
  ["{ replace: { match: '^/', with: '' } }", "/x", "/x"],
  ["{ replace: { match: '^/é (.*)$', with: '/è $1' } }", "/%C3%A9%20%C3%A0%3B;", "/%C3%A8%20%C3%A0%3B;"],
  ["{ replace: [{ match: a, with: 'é' }, { match: 'é', with: 'b?' }] }", "/a", "/b%3F"],
  ["{ path: '/a b/\u00e9\u20ac' }", "/x", "/a%20b/%C3%A9%E2%82%AC"],
  [
    "{ query: { set: { '\u00e9': '\u20ac $query(b)' } } }",
    "/x?%C3%A9=1&b=%20",
    "/x?b=%20&%C3%A9=%E2%82%AC%20%20",
  ],
  ["{ path: /fixed }", "/%61?x=%61", "/fixed?x=%61"],
  ["{ query: '' }", "/x?y", "/x"],
  ["{ query: 'p=$path&$query' }", "/x?y=1&z", "/x?p=/x&y=1&z"],
  [
    "{ query: { set: { a: '$host', 'b c': 'd&e f' } } }",
    "/x?a=1&c=%20&a=2",
    "/x?c=%20&a=a.test&b%20c=d%26e%20f",
  ],
  ["{ query: { add: { a: '$uri' } } }", "/x?a=1&b=2", "/x?a=1&b=2&a=/x?a=1%26b=2"],
  ["{ query: { remove: [utm_*, 'a b'] } }", "/x?utm_a=1&b&a+b=1&a%20b&utm%5Fb&", "/x?b&"],
  ["{ query: { remove: a } }", "/x?a", "/x"],
  ["{ host: other.test }", "/x", "/x"],
];

Deno.test("Rewrite changes path and query before a server gets them, and the log has what came", async () => {
  for (const [rule, target, sent] of REWRITES) {
    const match = rule.includes(":id") ? "match: { path: '/:id' }, " : "";
    await withRules(["routes:", `  - { ${match}pool: app, rewrite: ${rule} }`], (world) => {
      const { line, headers } = ask(world, target);
      assertEquals(line, `GET ${sent} HTTP/1.1`, `${rule} ${target}`);
      assertEquals(headers, [rule.includes("host:") ? "host: other.test" : "host: a.test"]);
      assertEquals([world.log[0]!.target, world.log[0]!.host], [target, "a.test"], rule);
    });
  }
});

Deno.test("RequestEdit writes captures of a query, which were decoded, as the bytes that they are", async () => {
  await withRules([
    "routes:",
    "  - match: { query: { v: '~(?<all>.*)' } }",
    "    pool: app",
    "    rewrite: { path: '/$capture(query.all)' }",
    "    headers: { request: { set: { X-V: $capture(query.all) } } }",
  ], (world) => {
    const { line, headers } = ask(world, "/?v=%C3%A9%2F%E2%82%AC%3F");
    assertEquals(line, "GET /%C3%A9/%E2%82%AC%3F?v=%C3%A9%2F%E2%82%AC%3F HTTP/1.1");
    assertEquals(headers.at(-1), "x-v: \xc3\xa9/\xe2\x82\xac?");
  });
});

Deno.test("Rewrite leaves OPTIONS * and absolute targets whole, and a small body behind its head", async () => {
  await withRules(["routes:", "  - { pool: app, rewrite: { addPrefix: /v, host: '$host:81' } }"], (world) => {
    const client = world.connect().request("OPTIONS", "*").get("http://a.test?x=1")
      .request("POST", "/p", "Content-Length: 3\r\nUser-Agent: me\r\n", "abc")
      .request("POST", "/p", "Content-Length: 3000\r\n", "b".repeat(3000));
    world.settle();
    assertEquals(client.statuses, [200, 200, 200, 200]);
    assertEquals(seenBy(world).map(({ line, body }) => [line, body.slice(0, 5)]), [
      ["OPTIONS * HTTP/1.1", ""],
      ["GET /v/?x=1 HTTP/1.1", ""],
      ["POST /v/p HTTP/1.1", "abc"],
      ["POST /v/p HTTP/1.1", "bbbbb"],
    ]);
    for (const request of seenBy(world)) assertEquals(request.headers.get("host"), "a.test:81");
    assertEquals(world.log.map(({ target }) => target), ["*", "http://a.test?x=1", "/p", "/p"]);
  }, { servers: 1 });
});

Deno.test("Rewrite answers 400 where a host comes out that is none", async () => {
  await withRules(["routes:", "  - { pool: app, rewrite: { host: '$header(x-to)' } }"], (world) => {
    const client = world.connect().get("/", "X-To: a b\r\n");
    const good = world.connect().get("/", "X-To: b.test\r\n");
    const none = world.connect().get("/");
    const empty = world.connect().get("/", "X-To: .b.test\r\n");
    world.settle();
    assertEquals([client.statuses, good.statuses, none.statuses], [[400], [200], [400]]);
    assertEquals(empty.statuses, [400]);
    assertEquals(seenBy(world).map(({ headers }) => headers.get("host")), ["b.test"]);
    assertEquals(world.log.filter(({ error }) => error === "badHost").length, 3);
  });
});

Deno.test("RequestEdit changes a request that is sent again only once", async () => {
  await withRules(
    ["routes:", "  - { pool: app, rewrite: { addPrefix: /v }, headers: { request: { add: { X-A: b } } } }"],
    (world) => {
      world.servers[0]!.answer = (_, connection) => connection.peer.end();
      const client = world.connect().get("/x");
      world.settle();
      assertEquals(client.statuses, [200]);
      for (const { line, headers } of seenBy(world)) {
        assertEquals([line, headers.get("x-a")], ["GET /v/x HTTP/1.1", "b"]);
      }
      assertEquals(seenBy(world).length, 2);
    },
  );
});

Deno.test("HeaderEdit leaves a client that waits for word on its body its Expect, whatever the pattern", async () => {
  await withRules(["routes:", "  - { pool: app, headers: { request: { remove: [e*, h*] } } }"], (world) => {
    world.connect().request("POST", "/", "Expect: 100-continue\r\nEtc: a\r\nContent-Length: 1\r\n", "x");
    world.settle();
    const { headers } = seenBy(world)[0]!;
    assertEquals([headers.get("expect"), headers.get("host"), headers.get("etc")], [
      "100-continue",
      "a.test",
      undefined,
    ]);
  });
});

Deno.test("HeaderEdit reads cookies that come in several lines", async () => {
  const rule = "headers: { request: { set: { X-A: '$cookie(b)' } } }";
  await withRules(["routes:", `  - { match: { cookies: { b: '2' } }, pool: app, ${rule} }`], (world) => {
    const client = world.connect().get("/", "Cookie: a=1\r\nCookie: b=2; c=3\r\n");
    world.settle();
    assertEquals(client.statuses, [200]);
    assertEquals(seenBy(world)[0]!.headers.get("x-a"), "2");
  });
});
