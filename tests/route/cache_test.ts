import fc from "fast-check";
import { CACHE_MISS, RouteCache } from "../../mod/route/cache.ts";
import { assertEquals } from "../assert.ts";

const ALL = { method: true, host: true, path: true, more: false };

/** Lays the three strings behind one another at some offset, as they stand in a head. */
function head(method: string, host: string, path: string, offset = 0) {
  const bytes = new TextEncoder().encode(" ".repeat(offset) + method + path + host);
  const methodEnd = offset + method.length;
  const pathEnd = methodEnd + path.length;
  return [bytes, offset, methodEnd, pathEnd, pathEnd + host.length, methodEnd, pathEnd] as const;
}

Deno.test("get() finds what was set, wherever the bytes stand, and nothing else", () => {
  const cache = new RouteCache(ALL);
  assertEquals(cache.get(...head("GET", "h", "/a")), CACHE_MISS);
  cache.set(...head("GET", "h", "/a"), 3);
  assertEquals(cache.get(...head("GET", "h", "/a", 17)), 3);
  for (
    const [method, host, path] of [["GET", "h", "/b"], ["GE", "h", "T/a"], ["GET", "g", "/a"], ["", "", ""]]
  ) {
    assertEquals(cache.get(...head(method!, host!, path!)), CACHE_MISS);
  }
});

Deno.test("get() leaves out of the key what the table does not need", () => {
  const cache = new RouteCache({ ...ALL, method: false, host: false });
  cache.set(...head("GET", "h", "/a"), 3);
  assertEquals(cache.get(...head("POST", "other", "/a")), 3);
});

Deno.test("set() takes keys of up to 256 bytes", () => {
  const cache = new RouteCache(ALL);
  const fits = "/" + "a".repeat(251);
  cache.set(...head("GET", "h", fits), 1);
  cache.set(...head("GET", "h", fits + "a"), 2);
  assertEquals(cache.get(...head("GET", "h", fits)), 1);
  assertEquals(cache.get(...head("GET", "h", fits + "a")), CACHE_MISS);
});

Deno.test("get() gives what was last set for a key or a miss, over many colliding keys", () => {
  const key = fc.tuple(
    fc.constantFrom("GET", "HEAD", ""),
    fc.constantFrom("a", "b.example", ""),
    fc.nat(5000).map((number) => "/" + number),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.integer({ min: -1, max: 9 })), { maxLength: 300 }), (steps) => {
      const cache = new RouteCache(ALL);
      const model = new Map<string, number>();
      for (const [[method, host, path], route] of steps) {
        const found = cache.get(...head(method, host, path));
        if (found !== CACHE_MISS) assertEquals(found, model.get(`${method} ${host} ${path}`));
        cache.set(...head(method, host, path), route);
        model.set(`${method} ${host} ${path}`, route);
        assertEquals(cache.get(...head(method, host, path)), route);
      }
    }),
  );
});
