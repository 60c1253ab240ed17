/** The leaky bucket: what it lets through, in time, over workers and over clocks that jump. */
import fc from "fast-check";
import { assert, assertEquals } from "../assert.ts";
import { parseIp } from "../../mod/base/address.ts";
import { SharedTable } from "../../mod/base/shared_table.ts";
import type { RateLimitSnapshot } from "../../mod/config/guard_snapshot.ts";
import type { GuardRequest, Verdict } from "../../mod/guard/guard.ts";
import { createLimitMemory, LimitCounts } from "../../mod/guard/limit_memory.ts";
import { RateLimit } from "../../mod/guard/rate_limit.ts";
import { rateLimit } from "./limits.ts";

const FACTS = {
  method: "GET",
  host: "a.test",
  path: "/",
  query: "",
  client: "",
  serverName: "",
  header: () => null,
};

function request(
  now: number,
  address = "192.0.2.1",
  facts: Partial<GuardRequest["facts"]> = {},
): GuardRequest {
  return { now, address, ip: parseIp(address), facts: { ...FACTS, ...facts } };
}

function limit(more: Partial<RateLimitSnapshot>, workers = 1) {
  const settings = rateLimit(more);
  const memory = createLimitMemory(settings.size, false, workers, 7);
  const each = Array.from({ length: workers }, (_, worker) => new RateLimit(settings, memory, worker));
  return { each, only: each[0]!, counts: new LimitCounts(memory, 0), memory };
}

/** `+`: passed, `-`: refused, a number: how long to wait. */
function said(verdict: Verdict): string {
  if (verdict === null) return "+";
  return verdict.kind === "delay" ? String(Math.round(verdict.ms)) : "-";
}

/** A bucket in plain arithmetic: what it holds leaks at a rate, and what does not fit is refused. */
class Bucket {
  #held = 0;
  #at = 0;
  constructor(readonly stepMs: number, readonly burst: number) {}
  takes(now: number): boolean {
    this.#held = Math.max(0, this.#held - (now - this.#at) / this.stepMs);
    this.#at = now;
    if (this.#held > this.burst + 0.5 / this.stepMs) return false;
    this.#held++;
    return true;
  }
}

Deno.test("check() is a leaky bucket for every key", () => {
  const times = fc.array(fc.tuple(fc.nat(400), fc.nat(2)), { maxLength: 200, size: "max" });
  fc.assert(fc.property(times, fc.constantFrom(1000, 100, 333), fc.nat(8), (steps, stepMs, burst) => {
    const { only } = limit({ stepMs, burst });
    const buckets = [0, 1, 2].map(() => new Bucket(stepMs, burst));
    let now = 1.7e12;
    for (const [pause, client] of steps) {
      now += pause;
      assertEquals(
        only.check(request(now, `192.0.2.${client}`)) === null,
        buckets[client]!.takes(now),
        `${now}`,
      );
    }
  }));
});

Deno.test("check() lets a burst through at once, then one an interval, and says when to come again", () => {
  const { only, counts } = limit({ stepMs: 10_000, burst: 2 });
  const at = (now: number) => said(only.check(request(now)));
  assertEquals([0, 0, 0, 0, 5000, 10_000, 10_000, 40_000, 40_000, 40_000].map(at).join(""), "+++--+-+++");
  const refused = only.check(request(41_000));
  assertEquals(refused, { kind: "deny", code: "rateLimited", status: 429, fields: "Retry-After: 9\r\n" });
  assertEquals([counts.sum("passed"), counts.sum("refused")], [7, 4]);
});

Deno.test("check() has the burst wait its turn, or what of it is beyond so many", () => {
  const turns = (delay: number | null) => {
    const { only } = limit({ stepMs: 1000, burst: 4, delay });
    return Array.from({ length: 6 }, () => said(only.check(request(0)))).join(" ");
  };
  assertEquals(turns(null), "+ + + + + -");
  assertEquals(turns(0), "+ 1000 2000 3000 4000 -");
  assertEquals(turns(2), "+ + + 1000 2000 -");
});

Deno.test("check() of a dry run lets everything through at once, and counts what it would refuse", () => {
  const { only, counts } = limit({ dryRun: true, delay: 0, burst: 1 });
  assertEquals(Array.from({ length: 5 }, () => said(only.check(request(0)))).join(""), "+++++");
  assertEquals([counts.sum("passed"), counts.sum("dryRun"), counts.sum("refused")], [2, 3, 0]);
});

Deno.test("check() counts over all workers", () => {
  const { each } = limit({ burst: 5 }, 3);
  const all = Array.from({ length: 9 }, (_, at) => said(each[at % 3]!.check(request(0))));
  assertEquals(all.join(""), "++++++---");
});

Deno.test("check() of a high rate is right although clocks count whole milliseconds", () => {
  const { only } = limit({ stepMs: 0.01, burst: 100_000 });
  let passed = 0;
  for (let n = 0; n < 110_000; n++) if (only.check(request(1.7e12)) === null) passed++;
  assert(Math.abs(passed - 100_001) < 3000, `${passed}`);
});

Deno.test("check() holds nobody up for as long as a clock went back", () => {
  const { only } = limit({ stepMs: 1000, burst: 1 });
  const at = (now: number) => said(only.check(request(now)));
  assertEquals([1e9, 1e9, 1e9].map(at).join(""), "++-");
  const back = 1e9 - 3_600_000;
  assertEquals([back, back + 1100, back + 1100, back + 2200].map(at).join(""), "-+-+");
});

Deno.test("check() counts by what key names, and not at all where that is missing", () => {
  const cookies = (cookie: string) => ({ header: (name: string) => name === "cookie" ? cookie : null });
  const pairs: [Partial<RateLimitSnapshot>, GuardRequest, GuardRequest, boolean][] = [
    [{}, request(0, "192.0.2.1"), request(0, "192.0.2.2"), false],
    [{ mask: { ipv4: 24, ipv6: 64 } }, request(0, "192.0.2.1"), request(0, "192.0.2.2"), true],
    [{}, request(0, "2001:db8::1"), request(0, "2001:db8::ffff:2"), true],
    [{}, request(0, "2001:db8::1"), request(0, "2001:db8:0:1::1"), false],
    [{ key: [{ kind: "host", name: "" }] }, request(0), request(0, "9.9.9.9"), true],
    [{ key: [{ kind: "host", name: "" }] }, request(0), request(0, undefined, { host: "b.test" }), false],
    [{ key: [{ kind: "path", name: "" }] }, request(0), request(0, undefined, { path: "/b" }), false],
    [{ key: [{ kind: "route", name: "" }] }, request(0), request(0, "9.9.9.9", { path: "/b" }), true],
    [
      { key: [{ kind: "cookie", name: "s" }] },
      request(0, undefined, cookies("s=1")),
      request(0, "9.9.9.9", cookies("a=2; s=1")),
      true,
    ],
    [
      { key: [{ kind: "query", name: "k" }] },
      request(0, undefined, { query: "k=1" }),
      request(0, undefined, { query: "k=2" }),
      false,
    ],
    [
      { key: [{ kind: "address", name: "" }, { kind: "path", name: "" }] },
      request(0),
      request(0, undefined, { path: "/b" }),
      false,
    ],
  ];
  for (const [settings, one, other, same] of pairs) {
    const { only } = limit(settings);
    assertEquals(only.check(one), null);
    assertEquals(only.check(other) !== null, same, JSON.stringify(settings));
  }
  const { only, counts } = limit({ key: [{ kind: "header", name: "x-key" }] });
  assertEquals([only.check(request(0)), only.check(request(0))], [null, null]);
  assertEquals(counts.sum("passed"), 0);
});

Deno.test("check() keeps parts of a key apart", () => {
  const { only } = limit({ key: [{ kind: "host", name: "" }, { kind: "path", name: "" }] });
  assertEquals(only.check(request(0, undefined, { host: "a", path: "bc" })), null);
  assertEquals(only.check(request(0, undefined, { host: "ab", path: "c" })), null);
});

Deno.test("check() forgets the oldest keys of a table that is full, and never those it keeps busy", () => {
  const { only, counts, memory } = limit({ size: 8, stepMs: 1000 });
  only.check(request(0, "192.0.2.1"));
  for (let n = 0; n < 50; n++) {
    only.check(request(n, "192.0.2.1"));
    only.check(request(n, `198.51.100.${n}`));
  }
  assertEquals(said(only.check(request(60, "192.0.2.1"))), "-");
  assertEquals(new SharedTable(memory.tables[0]!, 0).size(60), 8);
  assertEquals(counts.sum("evictions"), 43);
});
