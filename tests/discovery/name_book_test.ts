/** Invariant of the property: once there were servers there always are, and nobody is asked too often or never. */
import fc from "fast-check";
import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "../assert.ts";
import { absenceOf, type Lookup, type Name, type Part } from "../../mod/discovery/answer.ts";
import { MAX_LOOKUPS, MAX_MEMBERS, MAX_TTL_MS, MIN_TTL_MS, NameBook } from "../../mod/discovery/name_book.ts";

const APP: Name = { dns: "app.test", type: "host" };
const none = { kind: "none", reason: "no such name" } as const;
const failed = { kind: "failed", reason: "server failure" } as const;

function good(hosts: string[], ttlS: number): Lookup {
  return {
    services: null,
    addresses: new Map<string, Part<string>>([[" A", { kind: "found", records: hosts, ttlS }], [
      " AAAA",
      none,
    ]]),
  };
}

function bad(part: typeof none | typeof failed): Lookup {
  return { services: null, addresses: new Map<string, Part<string>>([[" A", part], [" AAAA", part]]) };
}

/** Looks up what is due and answers it; returns whether servers changed. */
function answer(book: NameBook, result: Lookup, now: number): boolean {
  const [due] = book.due(now);
  assert(due !== undefined, `nothing is due at ${now}`);
  return book.finished(due, result, now);
}

function hosts(book: NameBook): string[] {
  return book.members(APP).map(({ host }) => host);
}

Deno.test("due() a new name is due at once, and only once until it is finished", () => {
  const book = new NameBook();
  book.update([APP], 100);
  assertEquals(book.deadline(), 100);
  assertEquals(book.due(100).map(({ name }) => name), [APP]);
  assertEquals([book.due(100), book.deadline(), book.settled], [[], Infinity, false]);
});

Deno.test("finished() the next lookup is due after the time to live, within bounds", () => {
  for (const [ttlS, expected] of [[0, MIN_TTL_MS], [7, 7000], [86_400, MAX_TTL_MS]] as const) {
    const book = new NameBook();
    book.update([APP], 0);
    assert(answer(book, good(["10.0.0.1"], ttlS), 500));
    assertEquals(book.deadline(), 500 + expected);
  }
});

Deno.test("finished() only other servers are a change, not their order", () => {
  const book = new NameBook();
  book.update([APP], 0);
  assert(answer(book, good(["10.0.0.1", "10.0.0.2"], 1), 0));
  assert(!answer(book, good(["10.0.0.2", "10.0.0.1"], 1), 1000));
  assert(answer(book, good(["10.0.0.2"], 1), 2000));
});

Deno.test("finished() after a failure or an empty answer the last good one is kept, with reason and age", () => {
  for (const result of [bad(failed), bad(none)]) {
    const book = new NameBook();
    book.update([APP], 0);
    answer(book, good(["10.0.0.1"], 5), 0);
    assert(!answer(book, result, 5000));
    assertEquals(hosts(book), ["10.0.0.1"]);
    const [status] = book.status(9000);
    assertEquals(status?.state, "stale");
    assertEquals(status?.reason, absenceOf(result));
    assertEquals(status?.ageMs, 9000);
  }
});

Deno.test("finished() failures are tried again after 1, 2, 4, 8 and then every 10 seconds", () => {
  const book = new NameBook();
  book.update([APP], 0);
  const waits: number[] = [];
  let now = 0;
  for (let i = 0; i < 6; i++) {
    answer(book, bad(failed), now);
    waits.push(book.deadline() - now);
    now = book.deadline();
  }
  assertEquals(waits, [1000, 2000, 4000, 8000, 10_000, 10_000]);
  assertEquals(book.status(now)[0]?.state, "failing");
  answer(book, good(["10.0.0.1"], 60), now);
  answer(book, bad(failed), now + 60_000);
  assertEquals(book.deadline(), now + 61_000, "a success ends the row of failures");
});

Deno.test("finished() an answer in part serves, says so, and is asked for again soon", () => {
  const book = new NameBook();
  book.update([APP], 0);
  const half = new Map(good(["10.0.0.1"], 300).addresses).set(" AAAA", failed);
  assert(answer(book, { services: null, addresses: half }, 0));
  assertEquals(hosts(book), ["10.0.0.1"]);
  assertEquals([book.status(0)[0]?.state, book.status(0)[0]?.reason], ["good", "in part: server failure"]);
  assertEquals(book.deadline(), 1000);
});

Deno.test("finished() more addresses than are used are cut, and the status says so", () => {
  const book = new NameBook();
  book.update([APP], 0);
  const many = Array.from({ length: 200 }, (_, at) => `10.0.0.${at}`);
  answer(book, good(many.toReversed(), 60), 0);
  assertEquals([hosts(book).length, hosts(book)[0], hosts(book).at(-1)], [
    MAX_MEMBERS,
    "10.0.0.0",
    "10.0.0.127",
  ]);
  assertEquals(book.status(0)[0]?.reason, "200 addresses, of which 128 are used");
});

Deno.test("update() names that stay keep their servers, the result of a dropped one is ignored", () => {
  const book = new NameBook();
  const other: Name = { dns: "other.test", type: "A" };
  book.update([APP, other], 0);
  const [first, second] = book.due(0);
  assert(first !== undefined && second !== undefined);
  book.finished(first, good(["10.0.0.1"], 60), 0);
  book.update([APP], 10);
  assertEquals([book.wanted(second), book.finished(second, good(["10.0.0.2"], 60), 20)], [false, false]);
  assertEquals([hosts(book), book.members(other), book.settled], [["10.0.0.1"], [], true]);
  book.update([APP, other], 30);
  assertEquals(book.finished(second, good(["10.0.0.2"], 60), 40), false, "not the lookup of the new entry");
});

Deno.test("due() bounds the lookups under way, also when names are dropped", () => {
  const book = new NameBook();
  const names = Array.from({ length: 100 }, (_, at): Name => ({ dns: `n${at}.test`, type: "A" }));
  book.update(names, 0);
  const first = book.due(0);
  assertEquals([first.length, book.due(0).length, book.deadline()], [MAX_LOOKUPS, 0, Infinity]);
  assert(first[0] !== undefined);
  book.finished(first[0], bad(failed), 0);
  assertEquals(book.due(0).length, 1);
  book.update(names.slice(90), 0);
  assertEquals(book.due(0).length, 10);
});

Deno.test("finished() keeps servers and pace whatever the nameserver does", () => {
  const result = fc.oneof(
    fc.tuple(fc.array(fc.nat(9).map((last) => `10.0.0.${last}`), { minLength: 1 }), fc.nat(1000))
      .map(([list, ttlS]) => good(list, ttlS)),
    fc.constantFrom(bad(none), bad(failed)),
  );
  fc.assert(fc.property(fc.array(result, { maxLength: 30 }), (results) => {
    const book = new NameBook();
    book.update([APP], 0);
    let had = false;
    for (const next of results) {
      const now = book.deadline();
      const before = JSON.stringify(book.members(APP));
      const changed = answer(book, next, now);
      assertEquals(changed, JSON.stringify(book.members(APP)) !== before);
      had ||= changed;
      assertEquals(book.members(APP).length > 0, had);
      assertGreaterOrEqual(book.deadline(), now + MIN_TTL_MS);
      assertLessOrEqual(book.deadline(), now + MAX_TTL_MS);
    }
  }));
});
