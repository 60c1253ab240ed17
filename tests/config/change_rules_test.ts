/** What is said of rules that change messages when they are wrong. */
import { assertEquals, assertStringIncludes } from "../assert.ts";
import { errors, good, listenerWith, routesOf, warnings } from "./reading.ts";

const route = (text: string) => errors(routesOf(`{ pool: app, ${text} }`));

Deno.test("template() says which variable is none, with its place and the nearest", async () => {
  assertEquals(await route("headers: { request: { set: { X-A: 'a $clientAdress b' } } }"), [
    "5:59 «$clientAdress» listeners[0].routes[0].headers.request.set.X-A: has $clientAdress, which is not a variable; did you mean $clientAddress?",
  ]);
  assertEquals(await route("headers: { request: { add: { X-A: [ok, 'a $status'] } } }"), [
    "5:64 «$status» listeners[0].routes[0].headers.request.add.X-A[1]: has $status, which is known only once there is an answer",
  ]);
  assertEquals(await route("headers: { response: { set: { X-A: '5$' } } }"), [
    "5:59 «$» listeners[0].routes[0].headers.response.set.X-A: has a `$` without the name of a variable behind it (`$$` stands for a plain `$`)",
  ]);
  assertEquals(await route("headers: { response: { set: { X-A: '$header' } } }"), [
    "5:58 «$header» listeners[0].routes[0].headers.response.set.X-A: has $header without a name: it must be $header(NAME)",
  ]);
  assertEquals(await route("headers: { response: { set: { X-A: '$host(x)' } } }"), [
    '5:58 «$host(x)» listeners[0].routes[0].headers.response.set.X-A: has an argument for $host, which takes none ($(host) parts it from a "(")',
  ]);
  assertEquals(await route("headers: { response: { set: { X-A: '$1' } } }"), [
    "5:58 «$1» listeners[0].routes[0].headers.response.set.X-A: has $1, and no expression whose group that could be (`$$` is a plain `$`)",
  ]);
  const [unknown] = await route("headers: { response: { set: { X-A: '$zzzzzzz' } } }");
  assertEquals(unknown?.includes("is not a variable (known: clientAddress, "), true);
});

Deno.test("template() and expression() say what is wrong with a replacement", async () => {
  assertEquals(await route("rewrite: { replace: { match: '(a', with: x } }"), [
    "5:51 «'(a'» listeners[0].routes[0].rewrite.replace.match: the expression is not one of RE2: missing closing ): `(a`",
  ]);
  assertEquals(await route("rewrite: { replace: { match: '(a)', with: '$1 $2' } }"), [
    "5:68 «$2» listeners[0].routes[0].rewrite.replace.with: has $2, and the expression has 1 group",
  ]);
  assertEquals(await route("headers: { request: { replace: [{ name: a, match: a, with: '$1' }] } }"), [
    "5:82 «$1» listeners[0].routes[0].headers.request.replace[0].with: has $1, and the expression has no group",
  ]);
});

Deno.test("HeadersSchema refuses what only Tandem writes, and names that are none", async () => {
  assertEquals(await route("headers: { request: { set: { Content-Length: '1', Host: a, 'a b': c } } }"), [
    "5:51 «Content-Length» listeners[0].routes[0].headers.request.set.Content-Length: is about one connection or the length of the body: only Tandem itself writes it",
    "5:72 «Host» listeners[0].routes[0].headers.request.set.Host: cannot be changed by a rule: `rewrite` has `host` for it",
    "5:81 «'a b'» listeners[0].routes[0].headers.request.set[\"a b\"]: must be a header name",
  ]);
  assertEquals(
    await route("headers: { response: { remove: [connection, '*', X-*], add: { Transfer-Encoding: a } } }"),
    [
      "5:54 «connection» listeners[0].routes[0].headers.response.remove[0]: is about one connection or the length of the body: only Tandem itself writes it",
      "5:66 «'*'» listeners[0].routes[0].headers.response.remove[1]: must be a header name, or the beginning of one and `*`, not \"*\"",
      "5:84 «Transfer-Encoding» listeners[0].routes[0].headers.response.add.Transfer-Encoding: is about one connection or the length of the body: only Tandem itself writes it",
    ],
  );
  assertEquals(await route('headers: { response: { set: { X: "a\\nb" } } }'), [
    '5:55 «"a\\nb"» listeners[0].routes[0].headers.response.set.X: must not contain control characters',
  ]);
});

Deno.test("checkRouteChanges() says which captures there are, and where a rule has no effect", async () => {
  assertEquals(
    await errors(routesOf(
      "{ match: { path: '/u/:id' }, pool: app, rewrite: { path: '/:name/*' }, headers: { response: { set: { A: '$capture(path.x)' } } } }",
      "{ match: { path: /s }, respond: {}, rewrite: {}, headers: { request: { set: { A: b } } } }",
    )),
    [
      "5:68 «:name» listeners[0].routes[0].rewrite.path: has `:name`, which is not a parameter of the route's path (a literal colon is `%3A`)",
      "5:74 «*» listeners[0].routes[0].rewrite.path: has a `*`, but the route's path does not end in one",
      "5:114 «$capture(path.x)» listeners[0].routes[0].headers.response.set.A: has $capture(path.x), which the route's match does not take (known: path.id)",
      "6:45 «rewrite» listeners[0].routes[1].rewrite: has no effect beside respond: no server gets the request",
      "6:69 «request» listeners[0].routes[1].headers.request: has no effect beside respond: no server gets the request",
    ],
  );
  assertEquals(
    await errors(listenerWith("pool: app", "headers: { request: { set: { A: '$capture(path.*)' } } }")),
    [
      "5:38 «$capture(path.*)» listeners[0].headers.request.set.A: has $capture(path.*), which is a route's, and this is for every route",
    ],
  );
  assertEquals(await errors(listenerWith("pool: app", "protocol: tcp", "headers: {}", "errorPages: {}")), [
    "6:5 «headers» listeners[0].headers: cannot stand on a tcp listener, which sees no requests",
    "7:5 «errorPages» listeners[0].errorPages: cannot stand on a tcp listener, which sees no requests",
  ]);
});

Deno.test("RewriteSchema and the pages refuse what cannot be meant", async () => {
  assertEquals(await route("rewrite: { path: /a, stripPrefix: /b }"), [
    "5:39 «/a» listeners[0].routes[0].rewrite.path: is the whole path, and cannot stand beside stripPrefix, replace or addPrefix",
  ]);
  assertEquals(await route("rewrite: { path: '/a?b', host: 'a b', addPrefix: c }"), [
    "5:39 «'/a?b'» listeners[0].routes[0].rewrite.path: must be a path alone (`query` is for the rest), not \"/a?b\"",
    "5:53 «'a b'» listeners[0].routes[0].rewrite.host: must be a host name, with or without a port",
    '5:71 «c» listeners[0].routes[0].rewrite.addPrefix: must be a path that begins with a slash, not "c"',
  ]);
  for (const host of [".internal", "a..b", "[::1", "a:99999"]) {
    const [problem = ""] = await route(`rewrite: { host: "${host}" }`);
    assertStringIncludes(problem, "must be a host name, with or without a port");
  }
  assertEquals(await route("errorPages: { 200: a, 5xy: b, 404: c }"), [
    '5:36 «200» listeners[0].routes[0].errorPages["200"]: must be a status of an error (404), a class (5xx) or a range (500-504)',
    '5:44 «5xy» listeners[0].routes[0].errorPages["5xy"]: must be a status of an error (404), a class (5xx) or a range (500-504)',
  ]);
  assertEquals(
    await errors(routesOf("{ respond: { body: a, file: b } }", "{ respond: { status: 204, file: b } }")),
    [
      "5:37 «b» listeners[0].routes[0].respond.file: cannot stand beside a body",
      "6:41 «b» listeners[0].routes[1].respond.file: must be empty as status 204 has no body",
    ],
  );
  const files = {
    read: (path: string) => ({ problem: `cannot be read: ${path}: there is no such file` }),
    belong: () => true,
  };
  assertEquals(
    await errors(listenerWith("errorPages: { 404: a.html }", "routes: [{ respond: { file: b } }]"), {
      files,
    }),
    [
      '4:24 «a.html» listeners[0].errorPages["404"]: cannot be read: a.html: there is no such file',
      "5:33 «b» listeners[0].routes[0].respond.file: cannot be read: b: there is no such file",
    ],
  );
});

Deno.test("checkRouteChanges() warns where there is no page to put in the place of servers' errors", async () => {
  assertEquals(
    await warnings(listenerWith("interceptErrors: true", "routes: [{ pool: app, interceptErrors: true }]")),
    [
      "4:5 «interceptErrors» listeners[0].interceptErrors: has no effect without errorPages",
      "5:27 «interceptErrors» listeners[0].routes[0].interceptErrors: has no effect without errorPages",
    ],
  );
  const paged = "routes: [{ pool: app, interceptErrors: true, errorPages: { 404: a } }]";
  assertEquals(await warnings(listenerWith("interceptErrors: true", paged)), []);
});

Deno.test("HeadersSchema takes one value for a list, and names in any case", async () => {
  const { listeners: [listener] } = await good(
    listenerWith("pool: app", "headers: { response: { remove: SERVER, add: { X-A: b, X-B: [c, d] } } }"),
  );
  const response = listener?.headers?.response;
  assertEquals(response?.remove, ["server"]);
  assertEquals(response?.add, [["X-A", "b"], ["X-B", "c"], ["X-B", "d"]]);
});

Deno.test("HeadersSchema refuses names that applications may take for those that no rule may touch", async () => {
  const [problem = ""] = await route("headers: { request: { set: { Transfer_Encoding: chunked } } }");
  assertStringIncludes(problem, "Transfer_Encoding: is about one connection or the length of the body");
});

Deno.test("respond.body has variables, within a bound; the text of a file has none", async () => {
  assertEquals(
    await errors(routesOf(
      "{ match: { path: '/:id' }, respond: { body: 'costs 5 $ or $nope or $status' } }",
      "{ match: { path: /b }, respond: { body: '$capture(path.id)' } }",
      `{ match: { path: /c }, respond: { body: '${"$host".repeat(33)}' } }`,
    )).then((all) => all.map((one) => one.replace(/ \(known.*| «.*?»/g, ""))),
    [
      "5:62 listeners[0].routes[0].respond.body: has a `$` without the name of a variable behind it (`$$` stands for a plain `$`)",
      "5:67 listeners[0].routes[0].respond.body: has $nope, which is not a variable",
      "5:76 listeners[0].routes[0].respond.body: has $status, which is known only once there is an answer",
      "6:50 listeners[0].routes[1].respond.body: has $capture(path.id), which the route's match does not take (it takes nothing)",
      "7:49 listeners[0].routes[2].respond.body: must have at most 32 variables",
    ],
  );
});
