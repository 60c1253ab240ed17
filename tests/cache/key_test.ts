import { cacheKey } from "../../mod/cache/key.ts";
import type { CacheKeySnapshot } from "../../mod/config/cache_snapshot.ts";
import { factsOf } from "../files/facts.ts";
import { assertEquals, assertNotEquals } from "../assert.ts";

const ALL: CacheKeySnapshot = { host: true, query: { kind: "all" }, headers: [], cookies: [] };
const PLACE = { route: "r", pool: "app", scheme: "https", authority: "A.test" } as const;
const keyOf = (
  target: string,
  counts: Partial<CacheKeySnapshot> = {},
  headers: Record<string, string> = {},
  place: Partial<typeof PLACE> = {},
) => cacheKey({ ...ALL, ...counts }, factsOf("GET", target, headers), { ...PLACE, ...place } as typeof PLACE);

Deno.test("cacheKey() tells apart what another server could answer otherwise", () => {
  const texts = [
    keyOf("/a"),
    keyOf("/b"),
    keyOf("/a?x=1"),
    keyOf("/a", {}, {}, { pool: "beta" as "app" }),
    keyOf("/a", {}, {}, { route: "other" as "r" }),
    keyOf("/a", {}, {}, { scheme: "http" as "https" }),
    keyOf("/a", {}, {}, { authority: "b.test" as "A.test" }),
  ].map(({ text }) => text);
  assertEquals(new Set(texts).size, texts.length);
  assertEquals(keyOf("/a").text, keyOf("/a", {}, {}, { authority: "a.TEST" as "A.test" }).text);
});

Deno.test("cacheKey() counts the parameters of the query that it is told to", () => {
  const target = (query: CacheKeySnapshot["query"]) =>
    keyOf("/a?utm_source=x&id=1&utm_id=2&v=3", { query }).target;
  assertEquals(target({ kind: "all" }), "/a?utm_source=x&id=1&utm_id=2&v=3");
  assertEquals(target({ kind: "none" }), "/a");
  assertEquals(target({ kind: "only", names: ["id"] }), "/a?id=1");
  assertEquals(target({ kind: "except", names: ["utm_*"] }), "/a?id=1&v=3");
});

Deno.test("cacheKey() counts a parameter that some servers would read as several", () => {
  for (const kind of ["only", "except"] as const) {
    const query = { kind, names: [kind === "only" ? "id" : "utm_*"] };
    assertEquals(keyOf("/a?utm_x=1;id=2&utm_y=3", { query }).target, "/a?utm_x=1;id=2", kind);
  }
});

Deno.test("cacheKey() counts headers and cookies, and absent is not empty", () => {
  const counts = { headers: ["x-a"], cookies: ["lang"] };
  const texts = [
    {},
    { "x-a": "" },
    { "x-a": "1" },
    { cookie: "lang=de; other=1" },
    { cookie: "lang=" },
  ].map((headers) => keyOf("/", counts, headers as Record<string, string>).text);
  assertEquals(new Set(texts).size, texts.length);
  assertEquals(keyOf("/", counts, { cookie: "other=2; lang=de" }).text, texts[3]);
});

Deno.test("cacheKey() without hosts is the same for all", () => {
  const one = keyOf("/", { host: false }),
    other = keyOf("/", { host: false }, {}, { authority: "b.test" as "A.test" });
  assertEquals(one.text, other.text);
  assertEquals([one.host, keyOf("/").host], ["", "a.test"]);
  assertNotEquals(one.text, keyOf("/").text);
});
