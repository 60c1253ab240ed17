import type { RouteMatch } from "../../mod/config/snapshot.ts";
import { capturesOf } from "../../mod/route/captures.ts";
import { assertEquals } from "../assert.ts";

const ANY: RouteMatch = { hosts: [], methods: [], headers: [], query: [] };

interface Request {
  readonly host?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function taken(
  match: Partial<RouteMatch>,
  path: string,
  { host = "h", query = "", headers = {} }: Request = {},
): Record<string, string> {
  const { names, take } = capturesOf({ ...ANY, ...match });
  const header = (name: string) => headers[name] ?? null;
  const captures = take({ method: "GET", host, path, query, client: "192.0.2.1", header });
  assertEquals([...captures.keys()], names);
  return Object.fromEntries(captures);
}

Deno.test("capturesOf() takes the parameters of a path and its star, canonical and still encoded", () => {
  assertEquals(taken({ path: "/users/:id/*" }, "/users/%37/a%2fb/c"), {
    "path.id": "7",
    "path.*": "a%2Fb/c",
  });
  assertEquals(taken({ path: "/users/:id" }, "/users/7"), { "path.id": "7" });
  assertEquals(taken({ path: "/a/:page?" }, "/a"), { "path.page": "" });
  assertEquals(taken({}, "/a/b"), { "path.*": "a/b" });
  assertEquals(taken({}, "*"), { "path.*": "" });
});

Deno.test("capturesOf() takes what the star of a host stood for", () => {
  const match = { hosts: ["example.org", "*.a.example.org", "*.example.org"], path: "/" };
  assertEquals(taken(match, "/", { host: "x.y.example.org" }), { "host.*": "x.y" });
  assertEquals(taken(match, "/", { host: "x.a.example.org" }), { "host.*": "x" });
  assertEquals(taken(match, "/", { host: "example.org" }), { "host.*": "" });
});

Deno.test("capturesOf() takes the named groups of expressions", () => {
  const match = {
    hosts: ["~^(?<tenant>[a-z]+)[.]a[.]test$", "~^(?<tenant>[a-z]+)[.](?<zone>b)[.]test$"],
    path: "~^/(?<version>v[0-9]+)/",
    headers: [["user-agent", "~Firefox/(?<major>[0-9]+)"], ["x", "plain"], ["y", true]],
    query: [["lang", "~^(?<lang>[a-z]{2})"], ["z", ["a", "b"]]],
    cookies: [["s", "~(?<node>[0-9]+)$"]],
  } as const;
  const headers = { "user-agent": "Mozilla Firefox/128.0", cookie: "a=b; s=x7" };
  assertEquals(taken(match, "/%761/x", { host: "acme.a.test", query: "lang=1&lang=de-AT", headers }), {
    "host.tenant": "acme",
    "host.zone": "",
    "path.version": "v1",
    "header.major": "128",
    "query.lang": "de",
    "cookie.node": "7",
  });
  assertEquals(taken({ hosts: match.hosts, path: "/" }, "/", { host: "acme.b.test" }), {
    "host.tenant": "acme",
    "host.zone": "b",
  });
});
