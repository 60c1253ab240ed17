import fc from "fast-check";
import { MAX_BODY_BYTES } from "../../vrrp/extension.ts";
import {
  decodeReport,
  encodeReport,
  MAX_INSTANCES,
  type Report,
  reportIntervalMs,
} from "../../vrrp/report.ts";
import { assert, assertEquals, assertGreater, assertLessOrEqual, assertThrows } from "../assert.ts";

const REPORT: Report = {
  version: "0.1.0",
  uptimeMs: 123_456,
  maintenance: true,
  instances: [
    { vrid: 51, state: "active", priority: 200, health: 65535, reason: "nobody was heard" },
    { vrid: 52, state: "fault", priority: 0, health: 0, reason: "" },
  ],
  pools: [{ name: "app", healthy: 2, servers: 3 }],
  admin: [{ name: "app/b", state: "drain" }, { name: "app/c", state: "maint" }],
  omitted: 0,
};

Deno.test("decodeReport() reads back what encodeReport() wrote", () => {
  assertEquals(decodeReport(encodeReport(REPORT)), { ok: true, report: REPORT });
});

Deno.test("decodeReport() fed at every length is complete only at the whole report", () => {
  const bytes = encodeReport(REPORT);
  for (let length = 0; length < bytes.length; length++) {
    assertEquals(decodeReport(bytes.subarray(0, length)), { ok: false, reason: "report" }, `${length}`);
  }
  assertEquals(decodeReport(new Uint8Array([...bytes, 0])), { ok: false, reason: "report" });
});

Deno.test("decodeReport() reads what it knows of a later version, which may only append", () => {
  const bytes = new Uint8Array([...encodeReport(REPORT), 1, 2, 3]);
  bytes[0] = 3;
  assertEquals(decodeReport(bytes), { ok: true, report: REPORT });
  bytes[0] = 0;
  assertEquals(decodeReport(bytes), { ok: false, reason: "report" });
});

Deno.test("decodeReport() refuses states that do not exist and text that would spoil a log", () => {
  const bytes = encodeReport({ ...REPORT, instances: REPORT.instances.slice(0, 1), pools: [], admin: [] });
  const state = bytes.length - 4 - 4 - 1 - 2 - "nobody was heard".length;
  assertEquals(bytes[state], 2);
  bytes[state] = 4;
  assertEquals(decodeReport(bytes), { ok: false, reason: "report" });
  const named = encodeReport({ ...REPORT, pools: [{ name: "a\u001b[2Jb", healthy: 0, servers: 0 }] });
  assertEquals(decodeReport(named), { ok: false, reason: "report" });
});

Deno.test("encodeReport() leaves out what has no room and says how much", () => {
  const pools = Array.from({ length: 300 }, (_, at) => ({ name: `pool${at}`, healthy: 1, servers: 1 }));
  const tooLong = { name: "x".repeat(101), healthy: 1, servers: 1 };
  const bytes = encodeReport({ ...REPORT, pools: [tooLong, ...pools] });
  assertLessOrEqual(bytes.length, MAX_BODY_BYTES);
  const decoded = decodeReport(bytes);
  assert(decoded.ok);
  const { pools: kept, admin, omitted, instances } = decoded.report;
  assertEquals(instances, REPORT.instances);
  assertGreater(kept.length, 50);
  assertEquals(kept[0]?.name, "pool0");
  assertEquals(kept.length + admin.length + omitted, 303);
});

Deno.test("encodeReport() always has room for every instance, and refuses more", () => {
  const instance = { vrid: 1, state: "backup", priority: 1, health: 1, reason: "started" } as const;
  const most = { ...REPORT, version: "v".repeat(100), instances: Array(MAX_INSTANCES).fill(instance) };
  const decoded = decodeReport(encodeReport(most));
  assert(decoded.ok);
  assertEquals(decoded.report.instances.length, MAX_INSTANCES);
  assertThrows(
    () => encodeReport({ ...most, instances: Array(MAX_INSTANCES + 1).fill(instance) }),
    RangeError,
  );
});

Deno.test("decodeReport() reads back any report that fits and never throws, whatever the bytes", () => {
  const name = fc.string({ unit: "grapheme", maxLength: 12 }).filter((text) => !/\p{Cc}/u.test(text));
  const u16 = fc.integer({ min: 0, max: 65535 });
  const byte = fc.integer({ min: 0, max: 255 });
  // Of one id the last reason counts.
  const unique = { selector: ({ vrid }: { vrid: number }) => vrid, maxLength: 10 };
  const reports: fc.Arbitrary<Report> = fc.record({
    version: name,
    uptimeMs: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    maintenance: fc.boolean(),
    instances: fc.uniqueArray(
      fc.record({
        vrid: byte,
        state: fc.constantFrom("initialize" as const, "backup" as const, "active" as const, "fault" as const),
        priority: byte,
        health: u16,
        reason: fc.string({ unit: "grapheme-ascii", maxLength: 30 }),
      }),
      unique,
    ),
    pools: fc.array(fc.record({ name, healthy: u16, servers: u16 }), { maxLength: 4 }),
    admin: fc.array(fc.record({ name, state: fc.constantFrom("drain" as const, "maint" as const) }), {
      maxLength: 4,
    }),
    omitted: fc.constant(0),
  });
  fc.assert(fc.property(reports, (report) => {
    assertEquals(decodeReport(encodeReport(report)), { ok: true, report });
  }));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(), byte, (noise, where, value) => {
    decodeReport(noise);
    decodeReport(new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...noise]));
    const changed = encodeReport(REPORT);
    changed[where % changed.length] = value;
    const decoded = decodeReport(changed);
    if (decoded.ok) encodeReport(decoded.report);
  }));
});

Deno.test("reportIntervalMs() follows the adverts down to a quarter of a second", () => {
  assertEquals([10, 100, 250, 1000].map(reportIntervalMs), [250, 250, 250, 1000]);
});

Deno.test("decodeReport() of version 1 there are no reasons, and they are what version 2 appends", () => {
  const reasonless = { ...REPORT, instances: REPORT.instances.map((one) => ({ ...one, reason: "" })) };
  const whole = encodeReport(reasonless);
  const bytes = whole.subarray(0, whole.length - 1);
  bytes[0] = 1;
  assertEquals(decodeReport(bytes), { ok: true, report: reasonless });
  assertEquals(whole.length - 1 + 1 + 2 + "nobody was heard".length, encodeReport(REPORT).length);
});

Deno.test("encodeReport() cuts a reason short between its characters, and tells as many as there is room for", () => {
  const told = (reason: string, count = 1) => {
    const instances = Array.from(
      { length: count },
      (_, at) => ({ ...REPORT.instances[0]!, vrid: at + 1, reason }),
    );
    const bytes = encodeReport({ ...REPORT, instances });
    assertLessOrEqual(bytes.length, MAX_BODY_BYTES);
    const decoded = decodeReport(bytes);
    assert(decoded.ok);
    return decoded.report.instances.map((one) => one.reason);
  };
  assertEquals(told("a".repeat(120)), ["a".repeat(120)]);
  assertEquals(told("a".repeat(121)), ["a".repeat(117) + "…"]);
  assertEquals(told("é".repeat(61)), ["é".repeat(58) + "…"]);
  assertEquals(told("a\nb\u0000"), ["a?b?"]);
  const many = told("a".repeat(100), 64).filter((reason) => reason !== "").length;
  assertEquals(many, 3);
});
