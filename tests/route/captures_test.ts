import type { RouteMatch } from "../../mod/config/snapshot.ts";
import { capturesOf } from "../../mod/route/captures.ts";
import { assertEquals } from "../assert.ts";

const ANY: RouteMatch = { hosts: [], methods: [], headers: [], query: [] };

function taken(match: Partial<RouteMatch>, path: string, host = "h"): Record<string, string> {
  const { names, take } = capturesOf({ ...ANY, ...match });
  const captures = take({ method: "GET", host, path, query: "", header: () => null });
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
  assertEquals(taken(match, "/", "x.y.example.org"), { "host.*": "x.y" });
  assertEquals(taken(match, "/", "x.a.example.org"), { "host.*": "x" });
  assertEquals(taken(match, "/", "example.org"), { "host.*": "" });
});
