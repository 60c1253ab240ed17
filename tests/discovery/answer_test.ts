/** Invariant of the property: members are each once, in one order, whatever the order of the records. */
import fc from "fast-check";
import { assertEquals } from "../assert.ts";
import {
  absenceOf,
  failureOf,
  type Lookup,
  membersOf,
  mergeLookups,
  type Part,
  ttlOf,
} from "../../mod/discovery/answer.ts";
import type { SrvRecord } from "../../mod/discovery/dns_message.ts";

const failed = { kind: "failed", reason: "no answer within 2000 ms" } as const;
const none = { kind: "none", reason: "no such name" } as const;

function found<Records>(records: Records[], ttlS = 60): Part<Records> {
  return { kind: "found", records, ttlS };
}

function host(a: Part<string>, aaaa: Part<string> = none): Lookup {
  return { services: null, addresses: new Map([[" A", a], [" AAAA", aaaa]]) };
}

function srv(services: Part<SrvRecord>, addresses: Record<string, Part<string>>): Lookup {
  return { services, addresses: new Map(Object.entries(addresses)) };
}

function hosts(lookup: Lookup): string[] {
  return membersOf(lookup).map((member) => member.host);
}

Deno.test("membersOf() addresses are sorted as numbers, IPv4 first, each once", () => {
  const lookup = host(found(["10.0.0.10", "10.0.0.9", "10.0.0.10"]), found(["fd00::1"]));
  assertEquals(hosts(lookup), ["10.0.0.9", "10.0.0.10", "fd00::1"]);
});

Deno.test("membersOf() SRV: the best priority serves, the others are backups, weights are scaled", () => {
  const records = [
    { priority: 20, weight: 1, port: 81, target: "c.test" },
    { priority: 10, weight: 60_000, port: 80, target: "a.test" },
    { priority: 10, weight: 15_000, port: 80, target: "b.test" },
    { priority: 10, weight: 0, port: 82, target: "b.test" },
  ];
  const lookup = srv(found(records), {
    "a.test A": found(["10.0.0.1"]),
    "b.test A": found(["10.0.0.2"]),
    "c.test A": found(["10.0.0.3"]),
    "c.test AAAA": none,
  });
  assertEquals(membersOf(lookup), [
    { host: "10.0.0.1", port: 80, weight: 256, backup: false },
    { host: "10.0.0.2", port: 80, weight: 64, backup: false },
    { host: "10.0.0.2", port: 82, weight: 0, backup: false },
    { host: "10.0.0.3", port: 81, weight: 1, backup: true },
  ]);
});

Deno.test("membersOf() SRV: where all weights are 0 all servers are equal", () => {
  const record = { priority: 1, weight: 0, port: 80, target: "a.test" };
  const lookup = srv(found([record]), { "a.test A": found(["10.0.0.1"]) });
  assertEquals(membersOf(lookup).map(({ weight }) => weight), [1]);
});

Deno.test("membersOf() SRV: of two records for one address the more preferred counts", () => {
  const records = [
    { priority: 1, weight: 5, port: 80, target: "a.test" },
    { priority: 2, weight: 9, port: 80, target: "b.test" },
  ];
  const addresses = { "a.test A": found(["10.0.0.1"]), "b.test A": found(["10.0.0.1"]) };
  for (const order of [records, [...records].reverse()]) {
    const members = membersOf(srv(found(order), addresses));
    assertEquals(members, [{ host: "10.0.0.1", port: 80, weight: 5, backup: false }]);
  }
});

Deno.test("mergeLookups() a question without an answer keeps its last one, the others are new", () => {
  const last = host(found(["10.0.0.1"]), found(["fd00::1"]));
  assertEquals(hosts(mergeLookups(last, host(found(["10.0.0.2"]), failed))), ["10.0.0.2", "fd00::1"]);
  assertEquals(hosts(mergeLookups(last, host(found(["10.0.0.2"]), none))), ["10.0.0.2"]);
  assertEquals(hosts(mergeLookups(null, host(failed, found(["fd00::2"])))), ["fd00::2"]);
});

Deno.test("mergeLookups() SRV: a target without an answer keeps its addresses, a gone one loses them", () => {
  const record = (target: string) => ({ priority: 1, weight: 1, port: 80, target });
  const both = found([record("a.test"), record("b.test")]);
  const last = srv(both, { "a.test A": found(["10.0.0.1"]), "b.test A": found(["10.0.0.2"]) });
  const next = srv(both, { "a.test A": failed, "b.test A": found(["10.0.0.3"]) });
  assertEquals(hosts(mergeLookups(last, next)), ["10.0.0.1", "10.0.0.3"]);
  const fewer = srv(found([record("b.test")]), { "b.test A": found(["10.0.0.2"]) });
  assertEquals(hosts(mergeLookups(last, fewer)), ["10.0.0.2"]);
  assertEquals(mergeLookups(last, srv(failed, {})), last);
});

Deno.test("ttlOf() is the least of all parts", () => {
  assertEquals(ttlOf(host(found(["10.0.0.1"], 60), found(["fd00::1"], 20))), 20);
  assertEquals(ttlOf(host(none)), Infinity);
});

Deno.test("absenceOf() says what failed before what does not exist", () => {
  assertEquals(absenceOf(host(none, failed)), failed.reason);
  assertEquals(absenceOf(host(none)), "no such name");
  assertEquals([failureOf(host(none)), failureOf(host(found(["10.0.0.1"]), failed))], [null, failed.reason]);
});

Deno.test("membersOf() does not depend on the order of records", () => {
  const address = fc.nat(20).map((last) => `10.0.0.${last}`);
  const record = fc.record({
    priority: fc.nat(2),
    weight: fc.nat(70_000),
    port: fc.constantFrom(80, 81),
    target: fc.constantFrom("a.test", "b.test", "c.test"),
  });
  const records = fc.array(record);
  const targets = fc.tuple(fc.array(address), fc.array(address), fc.array(address));
  fc.assert(fc.property(records, targets, (services, [a, b, c]) => {
    const members = (order: (values: string[]) => string[], reverse: boolean) =>
      membersOf(srv(found(reverse ? [...services].reverse() : services), {
        "a.test A": found(order(a)),
        "b.test A": found(order(b)),
        "c.test A": found(order(c)),
      }));
    const forwards = members((values) => values, false);
    assertEquals(members((values) => [...values].reverse(), true), forwards);
  }));
});
