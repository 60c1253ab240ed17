import fc from "fast-check";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { TrieRouter } from "hono/router/trie-router";
import type { FieldTest, RouteMatch, RouteSnapshot } from "../../mod/config/snapshot.ts";
import type { RequestFacts } from "../../mod/route/match.ts";
import { canonicalPath } from "../../mod/route/path.ts";
import { parsePattern } from "../../mod/route/pattern.ts";
import { buildRouteTable } from "../../routes/table.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

function route(match: Partial<RouteMatch> = {}): RouteSnapshot {
  return {
    match: { hosts: [], methods: [], headers: [], query: [], ...match },
    action: { kind: "pool", pool: "app" },
  };
}

function facts(
  target: string,
  { method = "GET", host = "example.com", client = "192.0.2.1", headers = {} as Record<string, string> } = {},
): RequestFacts {
  const [path = "", query = ""] = target.split("?");
  return { method, host, path, query, client, header: (name) => headers[name] ?? null };
}

/** The meaning of a table, slowly: every route in order, every condition by itself. */
function plainMatch(routes: readonly RouteSnapshot[], request: RequestFacts): number {
  return routes.findIndex(({ match }) => allHold(match, request));
}

function allHold(match: RouteMatch, request: RequestFacts): boolean {
  if (match.hosts.length > 0 && !match.hosts.some((host) => hostMatches(host, request.host))) return false;
  if (match.methods.length > 0 && !match.methods.includes(request.method)) return false;
  if (match.path !== undefined) {
    const pattern = parsePattern(match.path);
    assert(typeof pattern !== "string");
    if (pattern.capture(canonicalPath(request.path)) === null) return false;
  }
  const parameters = new URLSearchParams(request.query);
  return match.headers.every(([name, test]) => {
    const value = request.header(name);
    return valueHolds(test, value === null ? [] : [value]);
  }) && (match.cookies ?? []).every(([name, test]) => {
    const value = new RegExp(`(?:^|; )${name}=([^;]*)`).exec(request.header("cookie") ?? "");
    return valueHolds(test, value === null ? [] : [value[1]!]);
  }) && match.query.every(([name, test]) => valueHolds(test, parameters.getAll(name))) &&
    (match.clients === undefined || match.clients.some((block) => block === `${request.client}/32`)) &&
    !(match.not ?? []).some((inner) => allHold(inner, request));
}

function valueHolds(test: FieldTest, values: readonly string[]): boolean {
  if (typeof test === "boolean") return values.length > 0 === test;
  if (typeof test !== "string") return values.some((value) => test.includes(value));
  return values.some((value) =>
    test.startsWith("~") ? new RegExp(test.slice(1)).test(value) : value === test
  );
}

function hostMatches(pattern: string, host: string): boolean {
  if (pattern.startsWith("~")) return new RegExp(pattern.slice(1)).test(host);
  if (!pattern.startsWith("*.")) return pattern === host;
  return host.endsWith(pattern.slice(1)) && host.length > pattern.length - 1;
}

const ROUTERS = [
  ["SmartRouter", undefined],
  ["TrieRouter", () => new TrieRouter<never>()],
] as const;

for (const [name, router] of ROUTERS) {
  const build = (...matches: Partial<RouteMatch>[]) => buildRouteTable(matches.map(route), router);

  Deno.test(`match() with ${name} takes the first match in configuration order`, () => {
    const table = build({ path: "/a/:id" }, { path: "/a/new" }, { path: "/a/*" }, {});
    assertEquals(table.match(facts("/a/new")), 0);
    assertEquals(table.match(facts("/a/new/x")), 2);
    assertEquals(table.match(facts("/a")), 2);
    assertEquals(table.match(facts("/b")), 3);
  });

  Deno.test(`match() with ${name} orders across hosts, wildcards and any host`, () => {
    const table = build(
      { hosts: ["a.example.com"], path: "/x" },
      { path: "/y" },
      { hosts: ["*.example.com"] },
      { hosts: ["a.example.com", "example.org"] },
      {},
    );
    assertEquals(table.match(facts("/x", { host: "a.example.com" })), 0);
    assertEquals(table.match(facts("/y", { host: "a.example.com" })), 1);
    assertEquals(table.match(facts("/z", { host: "a.example.com" })), 2);
    assertEquals(table.match(facts("/z", { host: "b.c.example.com" })), 2);
    assertEquals(table.match(facts("/z", { host: "example.com" })), 4);
    assertEquals(table.match(facts("/z", { host: ".example.com" })), 4);
    assertEquals(table.match(facts("/z", { host: "xexample.com" })), 4);
    assertEquals(table.match(facts("/z", { host: "example.org" })), 3);
  });

  Deno.test(`match() with ${name} keeps double slashes, dots and escapes apart as documented`, () => {
    const table = build({ path: "/admin/*" }, { path: "/files/:name" }, { path: "/a//b" });
    assertEquals(table.match(facts("/%61dmin/x")), 0);
    assertEquals(table.match(facts("/static/../admin/x")), 0);
    assertEquals(table.match(facts("//admin/x")), -1);
    assertEquals(table.match(facts("/files/a%2fb")), 1);
    assertEquals(table.match(facts("/files//")), -1);
    assertEquals(table.match(facts("/files/")), -1);
    assertEquals(table.match(facts("/a//b")), 2);
    assertEquals(table.match(facts("/a/b")), -1);
  });

  Deno.test(`match() with ${name} is not fooled by names that objects have, or by the syntax of patterns`, () => {
    const table = build({ path: "/a/:id{[0-9]+}" }, { path: "/b/*", methods: ["GET"] }, { path: "/c/:id" });
    for (const method of ["constructor", "toString", "__proto__", "ALL"]) {
      assertEquals(table.match(facts("/b/x", { method })), -1);
      assertEquals(table.match(facts("/c/x", { method })), 2);
    }
    assertEquals(table.match(facts("/a/:id{[0-9]+}")), -1);
    assertEquals(table.match(facts("/a/:p1")), -1);
    assertEquals(table.match(facts("/b/*")), 1);
    assertEquals(table.match(facts("/c/__proto__")), 2);
    assertEquals(table.match(facts("/constructor")), -1);
  });

  Deno.test(`match() with ${name} gives the target of OPTIONS * to routes without a path only`, () => {
    const table = build({ path: "/*" }, { path: "/:x" }, { methods: ["OPTIONS"] });
    assertEquals(table.match(facts("*", { method: "OPTIONS" })), 2);
  });

  Deno.test(`match() with ${name} checks methods, headers and query`, () => {
    const table = build(
      { path: "/x", methods: ["GET", "HEAD"], headers: [["x-beta", "1"]] },
      { path: "/x", query: [["v", "2"]] },
      { methods: ["ALL"] },
      { methods: ["POST"] },
    );
    assertEquals(table.match(facts("/x", { headers: { "x-beta": "1" } })), 0);
    assertEquals(table.match(facts("/x", { headers: { "x-beta": "2" } })), -1);
    assertEquals(table.match(facts("/x?v=1&v=2")), 1);
    assertEquals(table.match(facts("/x", { method: "POST", headers: { "x-beta": "1" } })), 3);
    assertEquals(table.match(facts("/x", { method: "ALL" })), 2);
  });

  Deno.test(`match() with ${name} agrees with trying every route in order`, () => {
    const path = fc.constantFrom(
      ..."/ /* /a /a/ /a/* /a* /a/:x /:x /:x/:y /a/:n{[0-9]+} /:x/b /a/*/b /a/b/* /*/* /:x? /a/:x? /.* /@x/* /a.b/:x ~^/a ~b$"
        .split(" "),
    );
    const host = fc.constantFrom("h", "a.h", "*.h", "*.a.h", "~^[ab]\\.h$");
    const test = fc.constantFrom<FieldTest>("1", ["1", "2"], "~^[2-9]$", true, false);
    const tests = (name: string) => fc.oneof(fc.constant([]), fc.tuple(fc.tuple(fc.constant(name), test)));
    const conditions = {
      hosts: fc.array(host, { maxLength: 2 }),
      methods: fc.subarray(["GET", "POST"]),
      path,
      headers: tests("x"),
      query: tests("q"),
      cookies: tests("c"),
      clients: fc.subarray(["192.0.2.1/32", "192.0.2.2/32"], { minLength: 1 }),
    };
    const requiredKeys = ["hosts", "methods", "headers", "query"] as const;
    const not = fc.array(fc.record(conditions, { requiredKeys: [...requiredKeys] }), { maxLength: 2 });
    const match = fc.record({ ...conditions, not }, { requiredKeys: [...requiredKeys] });
    const segment = fc.constantFrom(
      "",
      "a",
      "b",
      "ab",
      "7",
      "*",
      ":x",
      ":p0",
      "..",
      "%61",
      "%2F",
      "@x",
      "a.b",
      ".g",
    );
    const request = fc.record({
      segments: fc.array(segment, { maxLength: 4 }),
      method: fc.constantFrom("GET", "POST", "PUT"),
      host: fc.constantFrom("h", "a.h", "b.h", "b.a.h", ".h"),
      query: fc.constantFrom("", "?q=1", "?q=3&q", "?q=7"),
      client: fc.constantFrom("192.0.2.1", "192.0.2.2"),
      headers: fc.constantFrom<Record<string, string>[]>({}, { x: "1", cookie: "d=2; c=1" }, {
        x: "2",
        cookie: "c=7",
      }),
    });
    fc.assert(
      fc.property(fc.array(match, { maxLength: 6 }), fc.array(request), (matches, requests) => {
        const routes = matches.map(route);
        const table = buildRouteTable(routes, router);
        for (const { segments, query, ...rest } of requests) {
          const asked = facts("/" + segments.join("/") + query, rest);
          assertEquals(table.match(asked), plainMatch(routes, asked), JSON.stringify(asked));
        }
      }),
      { numRuns: 300 },
    );
  });
}

Deno.test("match() with RegExpRouter reads the patterns as TrieRouter does, where it can hold them", () => {
  const routes = ["/a/:x", "/a/:x/*", "/b*", "/c.d/:y", "/e/"].map((path) => route({ path }));
  const table = buildRouteTable(routes, () => new RegExpRouter<never>());
  for (const path of ["/a/1", "/a/1/", "/a/1/2", "/b", "/bc/d", "/c.d/1", "/cxd/1", "/e/", "/e", "/a/"]) {
    assertEquals(table.match(facts(path)), plainMatch(routes, facts(path)), path);
  }
});

Deno.test("buildRouteTable() says which facts are needed, and when none is", () => {
  const nothing = { method: false, host: false, path: false, more: false };
  const one = buildRouteTable([route()]);
  assertEquals([one.needs, one.constant], [nothing, 0]);
  assertEquals(buildRouteTable([]).constant, -1);
  assertEquals(buildRouteTable([]).match(facts("/")), -1);
  // What stands behind a route that takes everything is never reached, so it needs nothing either.
  assertEquals(buildRouteTable([route(), route({ hosts: ["h"], path: "/x" })]).constant, 0);
  const some = buildRouteTable([route({ hosts: ["h"], path: "/x" }), route({ query: [["a", "b"]] })]);
  assertEquals(some.needs, { ...nothing, host: true, path: true, more: true });
  assertEquals(some.constant, null);
  const inner = { ...route().match, methods: ["GET"], clients: ["192.0.2.0/24"] };
  assertEquals(buildRouteTable([route({ not: [inner] })]).needs, { ...nothing, method: true, more: true });
});

Deno.test("match() finds each of very many routes", () => {
  const routes = Array.from({ length: 500 }, (_, n) => {
    return route(n % 2 === 0 ? { path: `/app${n}/:id` } : { path: `/app${n}/*`, methods: ["GET"] });
  });
  const table = buildRouteTable(routes);
  for (let n = 0; n < 500; n++) assertEquals(table.match(facts(`/app${n}/x`)), n);
  assertEquals(table.match(facts("/app1/x", { method: "POST" })), -1);
});

Deno.test("match() reads no fact that is not needed", () => {
  const refuse = (): never => {
    throw new Error("read");
  };
  const lazy = {
    get method() {
      return refuse();
    },
    get host() {
      return refuse();
    },
    get query() {
      return refuse();
    },
    get client() {
      return refuse();
    },
    path: "/x",
    header: refuse,
  };
  assertEquals(buildRouteTable([route({ path: "/x" }), route()]).match(lazy), 0);
  // Conditions that stand behind the route that matches, and those of paths that do not.
  const other = { headers: [["x-beta", "1"]], clients: ["192.0.2.0/24"] } as const;
  const table = buildRouteTable([route({ path: "/y", ...other }), route({ path: "/x" }), route(other)]);
  assertEquals(table.match(lazy), 1);
});

Deno.test("buildRouteTable() refuses what is not a pattern", () => {
  assertThrows(() => buildRouteTable([route({ path: "/a*b" })]), Error, "/a*b");
});
