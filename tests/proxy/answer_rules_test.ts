/** What clients get of an answer when a route has rules for it: of servers, of files, of Tandem itself. */
import { fromLatin1 } from "../../mod/http/grammar.ts";
import { assertEquals } from "../assert.ts";
import type { Answering } from "../sim/parties.ts";
import { reply } from "../sim/parties.ts";
import { everyWay, type World } from "../sim/world.ts";
import { headersOf, withRules } from "./changes.ts";

function answering(world: World, answer: Answering): void {
  for (const server of world.servers) server.answer = answer;
}

Deno.test("HeaderEdit changes servers' answers, however the bytes are cut", async () => {
  const lines = [
    "headers: { response: { remove: Server, set: { X-Frame-Options: DENY } } }",
    "routes:",
    "  - match: { path: '/a/:id' }",
    "    pool: app",
    "    headers:",
    "      response:",
    "        set: { X-By: '$pool/$server/$serverAddress $status', X-Id: '$capture(path.id) $method $header(x-q)' }",
    "        add: { Set-Cookie: 'seen=$responseHeader(x-old)' }",
    "        replace: { name: Cache-Control, match: 'max-age=\\d+', with: 'max-age=$header(x-age)' }",
    "        remove: X-Old",
    "  - pool: app",
  ];
  const ways: Parameters<Parameters<typeof everyWay>[0]>[0][] = [];
  everyWay((way) => ways.push(way), 4);
  for (const way of ways) {
    await withRules(lines, (world) => {
      answering(world, (_, connection) =>
        connection.send(
          "HTTP/1.1 103 Early Hints\r\nServer: s\r\n\r\n" +
            reply(
              200,
              "hello",
              "Server: s\r\nX-Old: o\r\nSet-Cookie: a=b\r\nCache-Control: public, max-age=5\r\nX-Frame-Options: x\r\n",
            ),
        ));
      const client = world.connect().get("/a/7", "X-Q: q\r\nX-Age: 60\r\n").get("/");
      world.settle();
      assertEquals(client.statuses, [200, 200]);
      assertEquals(headersOf(client.answers[0]), [
        "cache-control: public, max-age=60",
        "content-length: 5",
        "set-cookie: a=b, seen=o",
        "x-by: app/a/10.0.0.1:8000 200",
        "x-frame-options: DENY",
        "x-id: 7 GET q",
      ]);
      assertEquals([client.answers[0]!.body, client.answers[0]!.interim], ["hello", [103]]);
      assertEquals(headersOf(client.answers[1]), [
        "cache-control: public, max-age=5",
        "content-length: 5",
        "set-cookie: a=b",
        "x-frame-options: DENY",
        "x-old: o",
      ]);
    }, { ...way, servers: 1 });
  }
});

Deno.test("HeaderEdit fits Location, Refresh and Set-Cookie of servers to how clients see them", async () => {
  const lines = [
    "routes:",
    "  - pool: app",
    "    headers:",
    "      response:",
    "        location: { 'http://app.internal:8080/': '$scheme://$host/app/', '/': '/app/' }",
    "        cookieDomain: { app.internal: $host }",
    "        cookiePath: { /: /app/ }",
  ];
  const fixed: [before: string, after: string][] = [
    ["Location: http://app.internal:8080/x?y", "location: http://a.test/app/x?y"],
    ["Location: /x", "location: /app/x"],
    ["Location: https://other.test/x", "location: https://other.test/x"],
    ["Refresh: 5; url=/x", "refresh: 5; url=/app/x"],
    [
      "Set-Cookie: a=/b; Domain=.APP.internal; Path=/; Secure",
      "set-cookie: a=/b; Domain=a.test; Path=/app/; Secure",
    ],
    ["Set-Cookie: a=b;path=/x;httponly", "set-cookie: a=b;path=/app/x;httponly"],
    ["Set-Cookie: a=b; Domain=elsewhere.test", "set-cookie: a=b; Domain=elsewhere.test"],
    ["Set-Cookie: path=/x", "set-cookie: path=/x"],
  ];
  await withRules(lines, (world) => {
    for (const [before, after] of fixed) {
      answering(world, (_, connection) => connection.send(reply(302, "", `${before}\r\n`)));
      const client = world.connect().get("/");
      world.settle();
      assertEquals(headersOf(client.answers[0], "content-length"), [after]);
    }
  });
});

Deno.test("HeaderEdit changes Tandem's own answers and files, and never what says where they end", async () => {
  const lines = [
    "headers:",
    "  response: { set: { X-A: '$status $header(x-q)', Cache-Control: private }, remove: [c*, Last-Modified], add: { Content-Type: x/y } }",
    "routes:",
    "  - { match: { path: /r }, redirect: { to: /x, status: 302 } }",
    "  - { match: { path: /s }, respond: { status: 403, body: no } }",
    "  - { match: { path: '/f/*' }, files: { root: /www, stripPrefix: /f } }",
    "  - { match: { path: /p }, pool: app }",
  ];
  await withRules(lines, (world) => {
    world.disk.write("/www/a.txt", "0123456789");
    for (const server of world.servers) server.accepts = "refuses";
    const more = "X-Q: \xe9\t|\r\n";
    const client = world.connect();
    for (const path of ["/r", "/s", "/f/a.txt", "/f/none", "/p", "/nowhere"]) client.get(path, more);
    client.request("HEAD", "/f/a.txt", more);
    world.settle();
    const own = (status: number, length: number, ...more: string[]) =>
      [
        `content-length: ${length}`,
        "content-type: x/y",
        "cache-control: private",
        `x-a: ${status} ?\t|`,
        ...more,
      ].sort();
    assertEquals(client.answers.map((answer) => headersOf(answer, "date", "etag")), [
      own(302, 0, "location: /x"),
      own(403, 2),
      own(200, 10, "accept-ranges: bytes"),
      own(404, client.answers[3]!.body.length),
      own(503, client.answers[4]!.body.length),
      own(404, client.answers[5]!.body.length),
      own(200, 10, "accept-ranges: bytes"),
    ]);
    assertEquals(client.answers[2]!.body, "0123456789");
  });
});

Deno.test("HeaderEdit leaves a request that is refused before it has a route without rules", async () => {
  await withRules(["headers: { response: { set: { X-A: b } } }", "pool: app"], (world) => {
    const client = world.connect().send("GET / HTTP/1.1\r\n\r\n", "GET");
    world.settle();
    assertEquals(client.statuses, [400]);
    assertEquals(client.answers[0]!.headers.has("x-a"), false);
  });
});

Deno.test("Redirect goes where variables say, with the query once", async () => {
  const cases: [to: string, target: string, location: string][] = [
    ["https://$host$uri", "/a%20b?x=1", "https://a.test/a%20b?x=1"],
    ["https://$host:8443/*", "/a?x=1", "https://a.test:8443/a?x=1"],
    ["$scheme://$authority/new", "/a", "http://a.test/new"],
    [
      "/login?next=$path&q=$query(q)&m=$header(x)",
      "/a/b?q=1%262",
      "/login?next=/a/b&q=1%262&m=1%262&q=1%262",
    ],
    ["https://$host$path?", "/a?b", "https://a.test/a"],
    ["/x?", "/a?b", "/x"],
  ];
  for (const [to, target, location] of cases) {
    await withRules(["routes:", `  - redirect: { to: '${to}', status: 307 }`], (world) => {
      const client = world.connect().get(target, "X: 1&2\r\n");
      world.settle();
      assertEquals(client.statuses, [307]);
      assertEquals(client.answers[0]!.headers.get("location"), location);
    });
  }
  await withRules(["routes:", "  - redirect: { to: 'https://$host/' }"], (world) => {
    const client = world.connect().send("GET / HTTP/1.0\r\n\r\n", "GET");
    world.settle();
    assertEquals(client.statuses, [400]);
  });
  await withRules(["routes:", "  - redirect: { to: 'https://$host$uri' }"], (world) => {
    const client = world.connect().request("OPTIONS", "*");
    world.settle();
    assertEquals(client.answers[0]!.headers.get("location"), "https://a.test/");
  });
});

Deno.test("respond fills variables into its body, as text of the kind that the body is of", async () => {
  const body = "'$host $capture(path.id) $header(x) $$1'";
  const cases: [type: string, body: string][] = [
    ["text/plain", `a.test 7% <a href="\u00e9\ufffd"> $1`],
    ["text/html; charset=utf-8", "a.test 7% &#60;a href=&#34;\u00e9\ufffd&#34;&#62; $1"],
    ["image/svg+xml", "a.test 7% &#60;a href=&#34;\u00e9\ufffd&#34;&#62; $1"],
    ["application/json", 'a.test 7% <a href=\\"\u00e9\ufffd\\"> $1'],
  ];
  for (const [type, filled] of cases) {
    const route = `{ match: { path: '/:id' }, respond: { body: ${body}, contentType: '${type}' } }`;
    await withRules(["routes:", `  - ${route}`], (world) => {
      const client = world.connect().get("/7%", 'X: <a href="\xc3\xa9\xff">\r\n').request("HEAD", "/7%");
      world.settle();
      const [get, head] = client.answers;
      assertEquals(new TextDecoder().decode(fromLatin1(get!.body)), filled, type);
      assertEquals(get!.headers.get("content-length"), `${get!.body.length}`);
      assertEquals([head!.body, head!.headers.get("content-length")], ["", "13"]);
    });
  }
});

Deno.test("HeaderEdit never takes from an answer of Tandem's own how its body is to be read", async () => {
  const lines = [
    "compress: { minSize: 1 }",
    "headers: { response: { remove: [content-*, vary], set: { Vary: Origin } } }",
    "routes:",
    "  - { match: { path: /s }, respond: { body: '" + "x".repeat(500) + "' } }",
    "  - { files: { root: /www } }",
  ];
  await withRules(lines, (world) => {
    world.disk.write("/www/a.txt", "y".repeat(500));
    const client = world.connect();
    for (const path of ["/s", "/a.txt"]) client.get(path, "Accept-Encoding: gzip\r\n");
    client.get("/a.txt", "Range: bytes=0-4\r\n");
    world.settle();
    const told = client.answers.map(({ headers }) => [
      headers.get("content-encoding"),
      headers.get("vary"),
      headers.get("content-range"),
    ]);
    assertEquals(told, [
      ["gzip", "Accept-Encoding, Origin", undefined],
      ["gzip", "Accept-Encoding, Origin", undefined],
      [undefined, "Accept-Encoding, Origin", "bytes 0-4/500"],
    ]);
  });
});
