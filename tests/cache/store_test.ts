import fc from "fast-check";
import { CacheMemory } from "../../mod/base/cache_memory.ts";
import type { CacheKey } from "../../mod/cache/key.ts";
import { CacheStore, type Entry, ENTRY_BYTES } from "../../mod/cache/store.ts";
import { selection } from "../../mod/cache/vary.ts";
import { fromLatin1, latin1 } from "../../mod/http/grammar.ts";
import { assert, assertEquals } from "../assert.ts";
import { fields, stored } from "./answers.ts";

const HEAD = fromLatin1("HTTP/1.1 200 OK\r\n\r\n");
const TERMS = stored({ "cache-control": "max-age=60" })!;
const NO_FIELDS = fields({});
const WHAT = { variant: "", status: 200, head: HEAD, terms: TERMS, storedAt: 0 };

const memoryOf = () => new CacheMemory(new SharedArrayBuffer(CacheMemory.byteLength(1)), 0);
const storeOf = (maxBytes = 64 * 1024, maxObject = maxBytes) =>
  new CacheStore(memoryOf(), maxBytes, maxObject);
const keyOf = (target: string, host = "a.test"): CacheKey => ({
  text: `${host}${target}`,
  host,
  target,
  changed: target,
});

interface Put {
  readonly vary?: readonly string[];
  readonly request?: Record<string, string>;
  readonly known?: boolean;
}

/** Stores an answer in two pieces; null: it does not fit. */
function put(
  store: CacheStore,
  target: string,
  body: string,
  { vary = [], request = {}, known = true }: Put = {},
) {
  const key = keyOf(target), bytes = fromLatin1(body), half = bytes.length >> 1;
  const filling = store.begin(key, known ? bytes.length : -1, store.moment(key));
  if (
    filling === null || !store.append(filling, bytes, 0, half) ||
    !store.append(filling, bytes, half, bytes.length)
  ) {
    return null;
  }
  return store.commit(
    filling,
    {
      variant: selection(vary, fields(request)),
      ...{ status: 200, head: HEAD, terms: { ...TERMS, vary }, storedAt: 0 },
    },
  );
}

const bodyOf = (entry: Entry | null) => entry && latin1(entry.body.bytes, 0, entry.length);
const find = (store: CacheStore, target: string, request: Record<string, string> = {}) =>
  bodyOf(store.find(keyOf(target), fields(request)));

Deno.test("find() has what was stored, and nothing for another key", () => {
  const store = storeOf();
  put(store, "/a", "one");
  put(store, "/b", "two", { known: false });
  assertEquals([find(store, "/a"), find(store, "/b"), find(store, "/c")], ["one", "two", null]);
  assertEquals([store.entries, store.stored, store.evicted], [2, 2, 0]);
});

Deno.test("RFC 9111 section 4.1: find() chooses by the fields that the answer varies by", () => {
  const store = storeOf();
  put(store, "/", "german", { vary: ["accept-language"], request: { "accept-language": "de" } });
  put(store, "/", "english", { vary: ["accept-language"], request: { "accept-language": "en" } });
  assertEquals(find(store, "/", { "accept-language": "de" }), "german");
  assertEquals(find(store, "/", { "accept-language": "en" }), "english");
  assertEquals([find(store, "/", { "accept-language": "fr" }), find(store, "/")], [null, null]);
});

Deno.test("commit() replaces the answer for the same request, and all when they come to vary by something else", () => {
  const store = storeOf();
  put(store, "/", "one");
  put(store, "/", "two");
  assertEquals([find(store, "/"), store.entries], ["two", 1]);
  put(store, "/", "three", { vary: ["accept"], request: { accept: "x" } });
  assertEquals([find(store, "/"), find(store, "/", { accept: "x" })], [null, "three"]);
});

Deno.test("commit() keeps a bounded number of variants", () => {
  const store = storeOf(1024 * 1024);
  for (let i = 0; i < 100; i++) put(store, "/", "x", { vary: ["a"], request: { a: String(i) } });
  assertEquals(store.entries, 32);
  assertEquals([find(store, "/", { a: "99" }), find(store, "/", { a: "0" })], ["x", null]);
});

Deno.test("begin() and append() refuse what is larger than an object may be", () => {
  const store = storeOf(64 * 1024, 1000);
  assertEquals(put(store, "/a", "x".repeat(1001)), null);
  assertEquals(put(store, "/b", "x".repeat(1001), { known: false }), null);
  assert(put(store, "/c", "x".repeat(1000), { known: false }) !== null);
  assertEquals(store.entries, 1);
});

Deno.test("commit() takes out what nobody has asked for since the hand came by", () => {
  const store = storeOf(3 * (ENTRY_BYTES + 200));
  for (const target of ["/a", "/b", "/c"]) put(store, target, "x".repeat(100));
  assertEquals(find(store, "/a"), "x".repeat(100));
  put(store, "/d", "x".repeat(100));
  assertEquals(["/a", "/b", "/c", "/d"].map((one) => find(store, one) !== null), [true, false, true, true]);
  assertEquals(store.evicted, 1);
});

Deno.test("a body that is still being sent counts until it is not", () => {
  const store = storeOf(ENTRY_BYTES + 2000);
  const share = put(store, "/a", "x".repeat(1500))!.body.share();
  assertEquals(put(store, "/b", "x".repeat(1500)), null);
  assertEquals([store.entries, store.bytes], [0, 1500]);
  share.release();
  assertEquals(store.bytes, 0);
  assert(put(store, "/b", "x".repeat(1500)) !== null);
});

Deno.test("drop() gives back what a body had that never became whole", () => {
  const store = storeOf();
  const key = keyOf("/");
  const filling = store.begin(key, -1, store.moment(key))!;
  store.append(filling, new Uint8Array(20_000), 0, 20_000);
  store.drop(filling);
  store.drop(filling);
  assertEquals(store.bytes, 0);
  assertEquals(
    store.commit(filling, WHAT),
    null,
  );
});

Deno.test("RFC 9111 section 4.4: what was asked for before an invalidation is not used after it", () => {
  const shared = memoryOf();
  const [one, other] = [new CacheStore(shared, 65536, 65536), new CacheStore(shared, 65536, 65536)];
  put(one, "/a", "old");
  const filling = one.begin(keyOf("/b"), 3, one.moment(keyOf("/b")))!;
  one.append(filling, fromLatin1("old"), 0, 3);
  for (const target of ["/a", "/b"]) other.memory.invalidate("a.test", target);
  assertEquals(find(one, "/a"), null);
  assertEquals(one.commit(filling, WHAT), null);
  put(one, "/a", "new");
  assertEquals(find(one, "/a"), "new");
});

Deno.test("purge() takes one path with any query, a beginning, a host, or all", () => {
  const targets = ["/a", "/a?x=1", "/a/b", "/c?y"];
  const left = (purge: Parameters<CacheStore["purge"]>[0]) => {
    const store = storeOf();
    for (const target of targets) put(store, target, "x");
    const count = store.purge(purge);
    const there = targets.filter((target) => find(store, target) !== null);
    assertEquals(count, targets.length - there.length);
    return there;
  };
  assertEquals(left({ path: "/a" }), ["/a/b", "/c?y"]);
  assertEquals(left({ path: "/a?x=1" }), ["/a", "/a/b", "/c?y"]);
  assertEquals(left({ path: "/a*" }), ["/c?y"]);
  assertEquals(left({ host: "a.test" }), []);
  assertEquals(left({ host: "b.test" }), targets);
  assertEquals(left({}), []);
});

Deno.test("purge() keeps what is on its way from being stored", () => {
  const store = storeOf();
  const key = keyOf("/");
  const filling = store.begin(key, 1, store.moment(key))!;
  store.append(filling, HEAD, 0, 1);
  store.purge({ path: "/other" });
  assertEquals(
    store.commit(filling, WHAT),
    null,
  );
  assertEquals(store.bytes, 0);
});

Deno.test("isUnstorable() remembers for two minutes, or until something is stored after all", () => {
  const store = storeOf();
  const key = keyOf("/");
  store.markUnstorable(key, 0);
  assertEquals([store.isUnstorable(key, 119_999), store.isUnstorable(key, 120_000)], [true, false]);
  assertEquals([store.entries, store.find(key, NO_FIELDS)], [0, null]);
  put(store, "/", "x");
  assertEquals(store.isUnstorable(key, 1), false);
});

Deno.test("renew() changes head and terms, and lets go of what would be chosen by other fields now", () => {
  const store = storeOf();
  const entry = put(store, "/", "x")!;
  const before = store.bytes;
  store.renew(entry, new Uint8Array(HEAD.length + 10), TERMS, 5);
  assertEquals([store.bytes - before, entry.storedAt, find(store, "/")], [10, 5, "x"]);
  store.renew(entry, HEAD, { ...TERMS, vary: ["a"] }, 6);
  assertEquals([find(store, "/"), store.bytes], [null, 0]);
});

Deno.test("resize() takes out what is too much at once", () => {
  const store = storeOf();
  for (let i = 0; i < 20; i++) put(store, `/${i}`, "x".repeat(1000));
  store.resize(5000, 5000);
  assert(store.bytes <= 5000 && store.entries > 0);
});

type Step =
  | { readonly do: "put"; readonly target: number; readonly size: number; readonly known: boolean }
  | { readonly do: "find" | "unstorable" | "purge" | "mark"; readonly target: number }
  | { readonly do: "hold" | "release" | "renew" | "abort"; readonly target: number };

const step: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom(
    "put",
    "put",
    "put",
    "find",
    "unstorable",
    "purge",
    "mark",
    "hold",
    "release",
    "renew",
    "abort",
  ),
  target: fc.nat(7),
  size: fc.nat(5000),
  known: fc.boolean(),
}) as fc.Arbitrary<Step>;

Deno.test("CacheStore whatever happens, never holds more than it may, nor gives another answer's body", () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
    const max = 16 * 1024;
    const store = storeOf(max, 4000);
    const held: { readonly entry: Entry; readonly text: string }[] = [];
    /** The newest body of each target; undefined: it must not be found any more. */
    const newest = new Map<number, string>();
    for (const [at, one] of steps.entries()) {
      const target = `/${one.target}`;
      if (one.do === "put") {
        const body = String.fromCharCode(97 + at % 26).repeat(one.size);
        if (put(store, target, body, { known: one.known }) !== null) newest.set(one.target, body);
      } else if (one.do === "unstorable") store.markUnstorable(keyOf(target), at);
      else if (one.do === "purge" || one.do === "mark") {
        if (one.do === "purge") store.purge({ path: target });
        else store.memory.invalidate("a.test", target);
        newest.delete(one.target);
      } else if (one.do === "release") held.pop()?.entry.body.release();
      else if (one.do === "abort") {
        const filling = store.begin(keyOf(target), -1, store.moment(keyOf(target)));
        if (filling !== null) store.drop(filling);
      } else {
        const entry = store.find(keyOf(target), NO_FIELDS);
        if (entry !== null) {
          assertEquals(bodyOf(entry), newest.get(one.target));
          if (one.do === "renew") store.renew(entry, new Uint8Array(at * 7), TERMS, at);
          if (one.do === "hold") {
            held.push({ entry, text: bodyOf(entry)! });
            entry.body.share();
          }
        }
      }
      assert(store.bytes <= max, `${store.bytes} bytes after ${JSON.stringify(one)}`);
      for (const { entry, text } of held) assertEquals(bodyOf(entry), text);
    }
    for (const { entry } of held) entry.body.release();
    store.purge({});
    assertEquals([store.bytes, store.entries], [0, 0]);
  }));
});
