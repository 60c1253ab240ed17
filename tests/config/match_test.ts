import { assertEquals } from "../assert.ts";
import { errors, good, routesOf, warnings } from "./reading.ts";
import { routeMatch } from "../../mod/config/match_schema.ts";

const matchErrors = (...matches: string[]) =>
  errors(routesOf(...matches.map((match) => `{ match: ${match}, pool: app }`)));

Deno.test("MatchSchema reads every condition and its negation", async () => {
  const config = await good(routesOf(
    `{ match: { host: ['~^(?<t>[A-Z]+)\\.org$', A.org], path: '~*^/a', client: 10.0.0.0/8, not: { method: get } }, pool: app }`,
    `{ match: { headers: { X-A: [a, b], X-B: true, X-C: '~*c' }, query: { d: false }, cookies: { E: '1' } }, pool: app }`,
    `{ match: { not: [{ client: ['::1', 10.0.0.0/8] }, { headers: { x: y } }] }, pool: app }`,
  ));
  const any = { hosts: [], methods: [], headers: [], query: [] };
  assertEquals(config.listeners[0]!.routes.map(({ match }) => routeMatch(match)), [
    {
      ...any,
      hosts: ["~^(?<t>[A-Z]+)\\.org$", "a.org"],
      path: "~*^/a",
      clients: ["10.0.0.0/8"],
      not: [{ ...any, methods: ["GET"] }],
    },
    {
      ...any,
      headers: [["x-a", ["a", "b"]], ["x-b", true], ["x-c", "~*c"]],
      query: [["d", false]],
      cookies: [["E", "1"]],
    },
    { ...any, not: [{ ...any, clients: ["::1/128", "10.0.0.0/8"] }, { ...any, headers: [["x", "y"]] }] },
  ]);
});

Deno.test("MatchSchema says what is wrong with an expression, and where", async () => {
  const matches = [
    `{ host: "~(" }`,
    `{ path: "~(?=a)" }`,
    `{ headers: { a: "~" } }`,
    `{ query: { a: "~[b-a]" } }`,
    `{ path: '~\\pL{600}' }`,
  ];
  assertEquals(await matchErrors(...matches), [
    '5:26 «"~("» listeners[0].routes[0].match.host: the expression is not one of RE2: missing closing ): `(`',
    '6:26 «"~(?=a)"» listeners[0].routes[1].match.path: the expression is not one of RE2: invalid or unsupported Perl syntax: `(?=`',
    '7:34 «"~"» listeners[0].routes[2].match.headers.a: the expression is empty',
    '8:32 «"~[b-a]"» listeners[0].routes[3].match.query.a: the expression is not one of RE2: invalid character class range: `b-a`',
    "9:26 «'~\\pL{600}'» listeners[0].routes[4].match.path: the expression is too large (602 steps, at most 500)",
  ]);
});

Deno.test("MatchSchema says what else is wrong with a condition, and where", async () => {
  const matches = [
    "{ headers: { a: 1 } }",
    "{ headers: { a: [] } }",
    `{ headers: { a: ["~b"] } }`,
    "{ client: 10.0.0.0/33 }",
    "{ not: {} }",
    "{ not: { sni: a.org } }",
    "{ not: { not: { method: GET } } }",
    "{ not: [{ method: GET }, { hots: a }] }",
  ];
  const known = "(known: host, path, method, headers, query, cookies, client)";
  assertEquals(await matchErrors(...matches), [
    "5:34 «1» listeners[0].routes[0].match.headers.a: must be text (in quotes if it looks like something else) or a list or true or false, not 1",
    "6:34 «[]» listeners[0].routes[1].match.headers.a: must not be an empty list",
    '7:35 «"~b"» listeners[0].routes[2].match.headers.a[0]: cannot be an expression in a list: join them with |',
    '8:28 «10.0.0.0/33» listeners[0].routes[3].match.client: must be a CIDR block or an IP address, such as 10.0.0.0/8, not "10.0.0.0/33"',
    "9:25 «{}» listeners[0].routes[4].match.not: must have at least one condition",
    `10:27 «sni» listeners[0].routes[5].match.not.sni: is not a known key ${known}`,
    `11:27 «not» listeners[0].routes[6].match.not.not: is not a known key ${known}`,
    `12:45 «hots» listeners[0].routes[7].match.not[1].hots: is not a known key ${known}`,
  ]);
});

Deno.test("MatchSchema conditions on requests need an http listener", async () => {
  const text = routesOf("{ match: { client: 10.0.0.0/8, not: { method: GET } }, pool: app }", "pool: app");
  const why = "cannot stand on a tcp listener, which sees no requests";
  assertEquals(await errors(text.replace("routes:", "protocol: tcp\n    routes:")), [
    `6:20 «client» listeners[0].routes[0].match.client: ${why}`,
    `6:40 «not» listeners[0].routes[0].match.not: ${why}`,
  ]);
});

Deno.test("Coverage() a route is only never reached when all its conditions are those of an earlier one", async () => {
  const covered = async (earlier: string, later: string) =>
    (await warnings(routesOf(`{ match: ${earlier}, pool: app }`, `{ match: ${later}, pool: app }`)))
      .length === 1;
  const rows: [earlier: string, later: string, covered: boolean][] = [
    ["{ client: 10.0.0.0/8 }", "{ path: /a }", false],
    ["{ client: [10.0.0.0/8, '::1'] }", "{ client: '::1', path: /a }", true],
    ["{ not: { method: GET } }", "{ path: /a }", false],
    ["{ not: { method: GET } }", "{ path: /a, not: [{ path: /b }, { method: GET }] }", true],
    ["{ path: '~^/a' }", "{ path: /a }", false],
    ["{ path: '~^/a/*' }", "{ path: '~^/a/b' }", false],
    ["{ path: '~^/a' }", "{ path: '~^/a', method: GET }", true],
    ["{ path: '/*' }", "{ path: '~^/a' }", true],
    ["{ host: '~a' }", "{ host: a.org }", false],
    ["{ host: '*.org' }", "{ host: '~.org' }", false],
    ["{ headers: { a: [b, c] } }", "{ headers: { a: [b, c], d: true } }", true],
    ["{ headers: { a: true } }", "{ headers: { a: false } }", false],
  ];
  for (const [earlier, later, expected] of rows) {
    assertEquals(await covered(earlier, later), expected, `${earlier} ${later}`);
  }
});
