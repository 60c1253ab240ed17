import { loadConfig } from "../../mod/config/load.ts";
import { assertEquals, assertStringIncludes } from "../assert.ts";
import { errors, good, listenerWith, POOL, routesOf, SMALLEST, warnings } from "./reading.ts";

function binds(...binds: string[]): string {
  const listeners = binds.map((bind, at) => `  - { name: l${at}, bind: ${bind}, pool: app }`);
  return ["listeners:", ...listeners, POOL].join("\n");
}

Deno.test("checkListeners() there must be one", async () => {
  assertEquals(await errors(POOL), ["1:1 «p» listeners: is required"]);
  assertEquals(await errors(`listeners: []\n${POOL}`), [
    "1:12 «[]» listeners: must have at least one listener",
  ]);
});

Deno.test("checkListeners() the forms of an address", async () => {
  assertEquals(
    await errors(
      binds('"80"', "[]", '"localhost:80"', '":99999"', '["[::1]:81", "1.2.3.4"]', '"1.2.3.256:80"'),
    ),
    [
      '2:23 «"80"» listeners[0].bind: must be ip:port, [v6]:port or :port, such as 0.0.0.0:8080, not "80"',
      "3:23 «[]» listeners[1].bind: must not be an empty list",
      '4:23 «"localhost:80"» listeners[2].bind: must be ip:port, [v6]:port or :port, such as 0.0.0.0:8080, not "localhost:80"',
      '5:23 «":99999"» listeners[3].bind: must be ip:port, [v6]:port or :port, such as 0.0.0.0:8080, not ":99999"',
      '6:36 «"1.2.3.4"» listeners[4].bind[1]: must be ip:port, [v6]:port or :port, such as 0.0.0.0:8080, not "1.2.3.4"',
      '7:23 «"1.2.3.256:80"» listeners[5].bind: must be ip:port, [v6]:port or :port, such as 0.0.0.0:8080, not "1.2.3.256:80"',
    ],
  );
});

Deno.test("checkListeners() two cannot have one address, nor one that takes the other's", async () => {
  assertEquals(
    await errors(binds('"0.0.0.0:80"', '"10.0.0.1:80"', '":80"', '["[::1]:81", "[0:0::1]:81"]')),
    [
      '3:23 «"10.0.0.1:80"» listeners[1].bind: overlaps 0.0.0.0:80, the address of listener "l0" already',
      '4:23 «":80"» listeners[2].bind: overlaps 0.0.0.0:80, the address of listener "l0" already',
      '5:36 «"[0:0::1]:81"» listeners[3].bind[1]: is the address of listener "l3" already',
    ],
  );
  assertEquals(await errors(`${binds('":80"')}\nadmin: { bind: "127.0.0.1:80" }`), [
    '4:16 «"127.0.0.1:80"» admin.bind: overlaps [::]:80, the address of listener "l0" already',
  ]);
});

Deno.test("checkListeners() addresses of different families, hosts or ports do not clash, nor does port 0", async () => {
  assertEquals(
    await errors(binds(
      '"10.0.0.1:80"',
      '"10.0.0.2:80"',
      '"[2001:db8::1]:80"',
      '"0.0.0.0:81"',
      '"[::1]:81"',
      '[":0", ":0"]',
    )),
    [],
  );
});

Deno.test("checkListeners() an admin address that others reach needs a token", async () => {
  const admin = (fields: string) => `${SMALLEST}\nadmin: { ${fields} }`;
  assertEquals(await errors(admin('bind: "0.0.0.0:9900"')), [
    '3:16 «"0.0.0.0:9900"» admin.bind: needs admin.token as it is not a loopback address (such as 127.0.0.1:9900)',
  ]);
  assertEquals(await errors(admin('bind: "127.0.0.1:9900", socket: run/tandem.sock')), [
    "3:42 «run/tandem.sock» admin.socket: must be an absolute path",
  ]);
  assertEquals(await errors(admin('bind: "[::1]:9900", socket: /run/tandem.sock')), []);
  assertEquals(await errors(admin('bind: "0.0.0.0:9900", token: 0123456789abcdef')), []);
});

Deno.test("checkListeners() exactly one of pool and routes", async () => {
  assertEquals(await errors(listenerWith("pool: app", "routes: [{ pool: app }]")), [
    "2:5 «name: web» listeners[0]: must have either pool or routes, and has both",
  ]);
  assertEquals(await errors(listenerWith("protocol: http")), [
    "2:5 «name: web» listeners[0]: must have either pool or routes, and has neither",
  ]);
  assertEquals(await errors(listenerWith("routes: []")), [
    "4:13 «[]» listeners[0].routes: must have at least one route",
  ]);
});

/** Routes of a tcp listener; the first stands in line 6. */
function tcp(...routes: string[]): string {
  return routesOf(...routes).replace("    routes:", "    protocol: tcp\n    routes:");
}

Deno.test("checkListeners() the routes of a tcp listener lead to pools, by what TLS says", async () => {
  assertEquals(await errors(tcp("{ match: { path: /x, sni: a.org, host: a.org }, pool: app }")), [
    "6:20 «path» listeners[0].routes[0].match.path: cannot stand on a tcp listener, which sees no requests",
    "6:42 «host» listeners[0].routes[0].match.host: cannot stand on a tcp listener, which sees no requests",
  ]);
  assertEquals(await errors(tcp("{ respond: {} }")), [
    "6:11 «respond» listeners[0].routes[0].respond: cannot stand on a tcp listener, only pool and split can",
  ]);
  assertEquals(await errors(tcp("{ pool: app }")), []);
  const routes = ["{ match: { sni: [A.org, '*.b.org'], alpn: h2 }, pool: app }", "{ pool: app }"];
  assertEquals(await errors(tcp(...routes)), []);
  assertEquals(await warnings(tcp(...routes)), []);
});

Deno.test("checkListeners() what TLS says is heard where it is read or ends", async () => {
  assertEquals(await errors(routesOf("{ match: { sni: a.org, alpn: [h2] }, pool: app }", "pool: app")), [
    "5:20 «sni» listeners[0].routes[0].match.sni: needs tls, or a tcp listener, which passes TLS on unread",
    "5:32 «alpn» listeners[0].routes[0].match.alpn: needs tls, or a tcp listener, which passes TLS on unread",
  ]);
  const ending = (text: string) =>
    text.replace("    routes:", "    tls: { certificates: [{ cert: a, key: b }] }\n    routes:");
  assertEquals(await errors(ending(routesOf("{ match: { sni: a.org }, pool: app }", "pool: app"))), []);
  assertEquals(await errors(ending(routesOf("{ match: { alpn: h2 }, pool: app }", "pool: app"))), [
    "6:20 «alpn» listeners[0].routes[0].match.alpn: needs a tcp listener",
  ]);
  const routes = ["{ match: { sni: a.org, alpn: h2 }, pool: app }", "{ pool: app }"];
  assertEquals(await errors(ending(tcp(...routes))), []);
  const never = ["{ match: { sni: '*.org' }, pool: app }", "{ match: { sni: a.org, path: /x }, pool: app }"];
  assertEquals((await warnings(ending(routesOf(...never)))).length, 1);
});

Deno.test("checkListeners() the names that TLS can ask for", async () => {
  const names = ["10.0.0.1", "a.org.", "*", "a b", "a.*.org"];
  assertEquals(
    await errors(tcp(...names.map((name) => `{ match: { sni: "${name}" }, pool: app }`))),
    names.map((name, at) =>
      `${6 + at}:25 «"${name}"» listeners[0].routes[${at}].match.sni: must be a host name, or *.domain`
    ),
  );
});

Deno.test("checkListeners() warns of tcp routes that are never reached", async () => {
  const never = (at: number, by: number) =>
    `listeners[0].routes[${at}]: is never reached: listeners[0].routes[${by}] takes all it would match`;
  const second = "{ match: { sni: x.a.org, alpn: h2 }, pool: app }";
  assertEquals(await warnings(tcp("{ match: { sni: '*.a.org' }, pool: app }", second)), [
    `7:9 «${second}» ${never(1, 0)}`,
  ]);
  assertEquals(await warnings(tcp("{ pool: app }", second)), [`7:9 «${second}» ${never(1, 0)}`]);
  assertEquals(
    await warnings(tcp("{ match: { alpn: h2 }, pool: app }", "{ match: { sni: a.org }, pool: app }")),
    [],
  );
});

Deno.test("checkListeners() a PROXY header is believed from blocks that are named", async () => {
  assertEquals(await errors(listenerWith("pool: app", "proxyProtocol: {}")), [
    "5:5 «proxyProtocol» listeners[0].proxyProtocol.from: is required: Blocks whose connections must begin with a PROXY header. Everyone else's are served without one",
  ]);
  assertEquals(await errors(listenerWith("pool: app", "proxyProtocol: { from: [] }")), [
    "5:28 «[]» listeners[0].proxyProtocol.from: must name at least one block",
  ]);
  assertEquals(await errors(listenerWith("pool: app", "proxyProtocol: { from: [10.0.0.1/8] }")), [
    '5:29 «10.0.0.1/8» listeners[0].proxyProtocol.from[0]: must be a CIDR block or an IP address, such as 10.0.0.0/8, not "10.0.0.1/8"',
  ]);
});

Deno.test("checkListeners() the time-out of a head counts on a tcp listener that reads one", async () => {
  const timed = ["pool: app", "protocol: tcp", "timeouts: { head: 5s }"];
  assertEquals(await warnings(listenerWith(...timed, "proxyProtocol: { from: [10.0.0.0/8] }")), []);
  assertEquals(await warnings(listenerWith(...timed)), [
    "6:17 «head» listeners[0].timeouts.head: has no effect on a tcp listener without tls, proxyProtocol and routes that match on sni or alpn",
  ]);
});

Deno.test("checkListeners() warns of what a tcp listener does not heed", async () => {
  assertEquals(
    await warnings(listenerWith(
      "pool: app",
      "protocol: tcp",
      "timeouts: { head: 5s, idle: 1m }",
      "trustedProxies: []",
      "limits: { body: 1m, connections: 5 }",
    )),
    [
      "6:17 «head» listeners[0].timeouts.head: has no effect on a tcp listener without tls, proxyProtocol and routes that match on sni or alpn",
      "7:5 «trustedProxies» listeners[0].trustedProxies: has no effect on a tcp listener",
      "8:15 «body» listeners[0].limits.body: has no effect on a tcp listener",
    ],
  );
});

Deno.test("checkListeners() warns of routes that are never reached", async () => {
  assertEquals(await warnings(routesOf("pool: app", "{ match: { path: /a }, pool: app }", "respond: {}")), [
    "6:9 «{ match: { path: /a }, pool: app }» listeners[0].routes[1]: is never reached: listeners[0].routes[0] takes all it would match",
    "7:9 «respond: {}» listeners[0].routes[2]: is never reached: listeners[0].routes[0] takes all it would match",
  ]);
  assertEquals(
    await warnings(routesOf(
      '{ match: { path: "/a/*", host: "*.x.org" }, pool: app }',
      "{ match: { path: /a, host: b.x.org, method: GET }, pool: app }",
      "{ match: { path: /ab, host: b.x.org }, pool: app }",
      "{ match: { path: /a, host: x.org }, pool: app }",
      "{ match: { path: /a }, pool: app }",
      '{ match: { path: "*" }, pool: app }',
      "pool: app",
    )),
    ["6:9 «{ match: { path: /a, host: b.x.org, method: GET }, pool: app }» listeners[0].routes[1]: is never reached: listeners[0].routes[0] takes all it would match"],
  );
});

Deno.test("checkListeners() the conditions of a route", async () => {
  assertEquals(
    await errors(routesOf(
      '{ match: { host: "a b" }, pool: app }',
      '{ match: { host: "a.org:80" }, pool: app }',
      "{ match: { host: [] }, pool: app }",
      '{ match: { method: "G T" }, pool: app }',
      '{ match: { headers: { "x y": a } }, pool: app }',
      '{ match: { headers: { x: "a\\nb" } }, pool: app }',
    )),
    [
      '5:26 «"a b"» listeners[0].routes[0].match.host: must be a host name without a port, *.domain, or ~expression',
      '6:26 «"a.org:80"» listeners[0].routes[1].match.host: must be a host name without a port, *.domain, or ~expression',
      "7:26 «[]» listeners[0].routes[2].match.host: must not be an empty list",
      '8:28 «"G T"» listeners[0].routes[3].match.method: must be an HTTP method, not "G T"',
      '9:31 «"x y"» listeners[0].routes[4].match.headers["x y"]: must be a header name',
      '10:34 «"a\\nb"» listeners[0].routes[5].match.headers.x: must not contain control characters',
    ],
  );
});

Deno.test("checkListeners() a route has exactly one action", async () => {
  assertEquals(
    await errors(routesOf(
      "{}",
      "{ pool: app, respond: {} }",
      "{ match: { path: /a }, respond: { status: 204, body: x } }",
      "{ match: { path: /b }, redirect: { to: /x, status: 305 } }",
      "pool: app",
    )),
    [
      "5:9 «{}» listeners[0].routes[0]: must have exactly one action (pool, split, redirect, respond, files or function), and has none",
      "6:22 «respond» listeners[0].routes[1].respond: cannot stand beside pool: a route must have exactly one action (pool, split, redirect, respond, files or function)",
      "7:62 «x» listeners[0].routes[2].respond.body: must be empty as status 204 has no body",
      "8:60 «305» listeners[0].routes[3].redirect.status: must be one of 301, 302, 303, 307, 308, not 305",
    ],
  );
});

Deno.test("checkListeners() the syntax of paths", async () => {
  const paths = ["a", "/a b", "/:a/:a", "/:x?/b", "/:n{(}", "/a*b", "/..", "/a?b"];
  assertEquals(await errors(routesOf(...paths.map((path) => `{ match: { path: "${path}" }, pool: app }`))), [
    '5:26 «"a"» listeners[0].routes[0].match.path: a path must begin with `/`',
    '6:26 «"/a b"» listeners[0].routes[1].match.path: the segment `a b` has a character that a URL\'s path cannot hold; percent-encode it',
    '7:26 «"/:a/:a"» listeners[0].routes[2].match.path: the parameter `:a` stands twice in the path',
    '8:26 «"/:x?/b"» listeners[0].routes[3].match.path: only the last segment can be optional, `:x?` is not',
    '9:26 «"/:n{(}"» listeners[0].routes[4].match.path: in the constraint of `:n` the expression is not one of RE2: missing closing ): `(`',
    '10:26 «"/a*b"» listeners[0].routes[5].match.path: `*` must be a whole segment or the last character of the path',
    '11:26 «"/.."» listeners[0].routes[6].match.path: a path must not hold `.` or `..` segments: they are removed from a request\'s path before it is matched',
    '12:26 «"/a?b"» listeners[0].routes[7].match.path: a path holds no `?` or `#`; conditions on the query go under `query`',
  ]);
});

Deno.test("checkListeners() no request chooses the host that it is redirected to", async () => {
  const redirects = [
    ["/a/*", "https://x*"],
    ["/b/:id", "https://:id/x"],
    ["/c/:id", "https://a.org/*"],
    ["/d", "//a.org/x"],
    ["/e", "ftp://a.org/x"],
    ["/f", "/a b"],
    ["/g/*", "/x/*"],
    ["/h/:id", "https://a.org/:id"],
  ].map(([path, to]) => `{ match: { path: "${path}" }, redirect: { to: "${to}" } }`);
  assertEquals(await errors(routesOf(...redirects, 'redirect: { to: "/x/:id" }')), [
    "5:62 «*» listeners[0].routes[0].redirect.to: a placeholder may stand only behind the host (`$host` in it may), else a request could choose where it is sent",
    "6:63 «:id» listeners[0].routes[1].redirect.to: a placeholder may stand only behind the host (`$host` in it may), else a request could choose where it is sent",
    "7:69 «*» listeners[0].routes[2].redirect.to: has a `*`, but the route's path does not end in one",
    '8:50 «"//a.org/x"» listeners[0].routes[3].redirect.to: must be an http:// or https:// URL, or a path that begins with one "/"',
    '9:50 «"ftp://a.org/x"» listeners[0].routes[4].redirect.to: must be an http:// or https:// URL, or a path that begins with one "/"',
    '10:50 «"/a b"» listeners[0].routes[5].redirect.to: must not hold spaces or control characters',
    "13:29 «:id» listeners[0].routes[8].redirect.to: has `:id`, which is not a parameter of the route's path (a literal colon is `%3A`)",
  ]);
});

Deno.test("checkListeners() tells at once what is wrong with a route in several ways", async () => {
  const text = routesOf(
    "{ match: { path: '~(' }, pool: app, respond: { status: 99 } }",
    "{ match: { path: '/a/:b', headers: { x: '~(' } }, redirect: { to: 'https://$header(x).test/:nope/$capture(path.no)', status: 200 } }",
    "{ match: { path: '/b', headers: { x: '~(' } }, redirect: { to: '/$capture(header.x)/$capture(query.x)' } }",
    "{ match: { path: /c }, pool: app, headers: { response: { set: { A: '$hosts $header' } } } }",
    "{ match: { path: '~(' }, redirect: 5, respond: { status: 200 } }",
  );
  assertEquals(await errors(text), [
    "5:26 «'~('» listeners[0].routes[0].match.path: the expression is not one of RE2: missing closing ): `(`",
    "5:45 «respond» listeners[0].routes[0].respond: cannot stand beside pool: a route must have exactly one action (pool, split, redirect, respond, files or function)",
    "5:64 «99» listeners[0].routes[0].respond.status: must be a whole number from 200 to 599, not 99",
    "6:49 «'~('» listeners[0].routes[1].match.headers.x: the expression is not one of RE2: missing closing ): `(`",
    "6:84 «$header(x)» listeners[0].routes[1].redirect.to: a placeholder may stand only behind the host (`$host` in it may), else a request could choose where it is sent",
    "6:100 «:nope» listeners[0].routes[1].redirect.to: has `:nope`, which is not a parameter of the route's path (a literal colon is `%3A`)",
    "6:106 «$capture(path.no)» listeners[0].routes[1].redirect.to: has $capture(path.no), which the route's match does not take (known: path.b)",
    "6:134 «200» listeners[0].routes[1].redirect.status: must be one of 301, 302, 303, 307, 308, not 200",
    "7:46 «'~('» listeners[0].routes[2].match.headers.x: the expression is not one of RE2: missing closing ): `(`",
    "7:93 «$capture(query.x)» listeners[0].routes[2].redirect.to: has $capture(query.x), which the route's match does not take (it takes nothing)",
    "8:77 «$hosts» listeners[0].routes[3].headers.response.set.A: has $hosts, which is not a variable; did you mean $host?",
    "8:84 «$header» listeners[0].routes[3].headers.response.set.A: has $header without a name: it must be $header(NAME)",
    "9:26 «'~('» listeners[0].routes[4].match.path: the expression is not one of RE2: missing closing ): `(`",
    "9:44 «5» listeners[0].routes[4].redirect: must be a map, not 5",
    "9:47 «respond» listeners[0].routes[4].respond: cannot stand beside redirect: a route must have exactly one action (pool, split, redirect, respond, files or function)",
  ]);
});

Deno.test("checkListeners() warns of a redirect that leads to its own route", async () => {
  const circles = [
    "redirect: { to: '/*' }",
    "redirect: { to: 'http://$host$uri' }",
    "{ match: { path: '/a/:x' }, redirect: { to: '/a/b' } }",
    "{ match: { host: [a.test, b.test] }, redirect: { to: 'http://a.test/*' } }",
    "{ match: { method: POST }, redirect: { to: '/x', status: 307 } }",
  ];
  for (const circle of circles) {
    const [warning = ""] = await warnings(routesOf("{ match: { path: /p }, pool: app }", circle));
    assertStringIncludes(warning, "redirect.to: leads to this route again", circle);
  }
  const straight = [
    "redirect: { to: 'https://$host$uri' }",
    "redirect: { to: 'http://new.test/*' }",
    "redirect: { to: 'http://$host:8080$uri' }",
    "{ match: { path: '/a/*' }, redirect: { to: '/b/*' } }",
    "{ match: { query: { a: '1' } }, redirect: { to: '/*?' } }",
    "{ match: { method: POST }, redirect: { to: '/x', status: 303 } }",
    "{ match: { path: '~^/a' }, redirect: { to: '/a' } }",
    "redirect: { to: '/$header(x)' }",
  ];
  for (const one of straight) {
    assertEquals(await warnings(routesOf("{ match: { path: /p }, pool: app }", one)), [], one);
  }
  const caught = routesOf("{ match: { path: /new }, pool: app }", "redirect: { to: /new }");
  assertEquals(await warnings(caught), []);
});

Deno.test("checkListeners() warns of a client's address that nobody is believed to tell", async () => {
  const text = (...more: string[]) => listenerWith("pool: app", "clientAddress: X-Real-IP", ...more);
  assertEquals(await warnings(text()), [
    "5:5 «clientAddress» listeners[0].clientAddress: has no effect without trustedProxies: nobody is believed",
  ]);
  assertEquals(await warnings(text("trustedProxies: [10.0.0.1]")), []);
  assertEquals((await good(text("trustedProxies: [10.0.0.1]"))).listeners[0]!.clientAddress, "x-real-ip");
});

Deno.test("checkListeners() refuses a prefix that no path of the route begins with", async () => {
  const wrong = [
    ["/api/*", "/app"],
    ["/a", "/a/b"],
    ["/u/:id/*", "/v"],
    ["/n/:id{[0-9]+}/*", "/n/x"],
    ["/v1*", "/v"],
  ];
  for (const [path, prefix] of wrong) {
    const [problem = ""] = await errors(
      routesOf(`{ match: { path: "${path}" }, pool: app, rewrite: { stripPrefix: ${prefix} } }`),
    );
    assertStringIncludes(problem, `rewrite.stripPrefix: is not how ${path} begins`);
  }
  const good = [
    ["/api/*", "/api"],
    ["/api/*", "/api/v1"],
    ["/%61pi/x", "/api"],
    ["/u/:id/*", "/u/7"],
    ["/n/:id{[0-9]+}/*", "/n/12"],
    ["/v1*", "/v12/x"],
    ["~^/a", "/b"],
    ["*", "/b"],
  ];
  for (const [path, prefix] of good) {
    const text = `{ match: { path: "${path}" }, pool: app, rewrite: { stripPrefix: ${prefix} } }`;
    assertEquals(await errors(routesOf(text)), [], path);
  }
});

Deno.test("checkListeners() files: what is wrong with each field", async () => {
  const files = (text: string, match = "") => `{ ${match}files: { root: www, ${text} } }`;
  assertEquals(
    await errors(routesOf(
      files("stripPrefix: static", "match: { path: /a }, "),
      files('tryFiles: ["$uri", "a", "/../x", "$path/$x"]', "match: { path: /b }, "),
      files("index: [a/b, .x]", "match: { path: /c }, "),
      files("precompressed: [br, deflate]", "match: { path: /d }, "),
      files('cacheControl: "a\\nb"', "match: { path: /e }, "),
      files("types: { .md: text/x }", "match: { path: /f }, "),
      files("stripPrefix: /static", 'match: { path: "/other/*" }, '),
      "{ files: {} }",
    )),
    [
      '5:65 «static» listeners[0].routes[0].files.stripPrefix: must be a path that begins with a slash, not "static"',
      '6:63 «"$uri"» listeners[0].routes[1].files.tryFiles[0]: must begin with `$path` or with a slash',
      '6:71 «"a"» listeners[0].routes[1].files.tryFiles[1]: must begin with `$path` or with a slash',
      '6:76 «"/../x"» listeners[0].routes[1].files.tryFiles[2]: must not have empty segments, `.` or `..`',
      '6:85 «"$path/$x"» listeners[0].routes[1].files.tryFiles[3]: knows only one variable, `$path`, and only at the beginning',
      "7:60 «a/b» listeners[0].routes[2].files.index[0]: must be the name of a file, without a slash and not beginning with a dot",
      "7:65 «.x» listeners[0].routes[2].files.index[1]: must be the name of a file, without a slash and not beginning with a dot",
      '8:72 «deflate» listeners[0].routes[3].files.precompressed[1]: must be one of br, gzip, zstd, not "deflate"',
      '9:66 «"a\\nb"» listeners[0].routes[4].files.cacheControl: must not contain control characters',
      '10:61 «.md» listeners[0].routes[5].files.types[".md"]: must be an ending without its dot',
      "11:73 «/static» listeners[0].routes[6].files.stripPrefix: is not how /other/* begins",
      "12:11 «files» listeners[0].routes[7].files.root: is required: Directory with the files; relative to the directory of the configuration file",
    ],
  );
});

Deno.test("checkListeners() files: defaults, and lists of one", async () => {
  const { listeners } = await good(
    routesOf("{ files: { root: www, index: a.html, precompressed: br, stripPrefix: /s/ } }"),
  );
  assertEquals(listeners[0]!.routes[0]!.action, {
    kind: "files",
    root: "www",
    stripPrefix: "/s",
    index: ["a.html"],
    tryFiles: ["$path"],
    precompressed: ["br"],
    listing: false,
    hidden: false,
    cacheControl: "",
    types: {},
  });
});

Deno.test("checkListeners() files: a root that is missing may come, one that is no directory will not", async () => {
  const kinds = { "/etc/t/www": "directory", "/etc/t/file": "other" } as const;
  const text = routesOf(
    ...["www", "nowhere", "file"].map((root) => `{ match: { path: /${root} }, files: { root: ${root} } }`),
  );
  const result = await loadConfig(text, {
    file: "/etc/t/tandem.yaml",
    node: null,
    context: null,
    env: () => undefined,
    pathKind: (path) => kinds[path as keyof typeof kinds] ?? "missing",
  });
  assertEquals(
    "problems" in result &&
      result.problems.map(({ line, column, path, message }) => [line, column, path, message]),
    [
      [7, 50, "listeners[0].routes[2].files.root", "must be a directory"],
    ],
  );
  assertEquals(result.warnings.slice(0, 1).map(({ line, path, message }) => [line, path, message]), [
    [6, "listeners[0].routes[1].files.root", "is not there (yet): its files are answered with 404"],
  ]);
});
