import { assertEquals, assertStringIncludes } from "../assert.ts";
import { faultNamed, FAULTS, PEACEFUL } from "../../bench/ha_faults.ts";
import { changesIn, ownership } from "../../bench/ha_owners.ts";
import { type HaSample, haTable, summarizeHa } from "../../bench/ha_report.ts";

const at = (second: number) => new Date(`2030-01-02T03:04:0${second}.500000`).getTime();

function line(second: number, address: string, deleted = false): string {
  const stamp = `[2030-01-02T03:04:0${second}.500000]`;
  return `${stamp} ${
    deleted ? "Deleted " : ""
  }2: eth0    inet ${address}/24 scope global dynamic eth0\\  valid_lft 1sec`;
}

function sample(product: string, noneMs: number, more: Partial<HaSample> = {}): HaSample {
  return {
    fault: "SIGKILL",
    product,
    noneMs,
    bothMs: 0,
    bothAtEnd: false,
    moves: 1,
    failed: 0,
    requests: 1000,
    ...more,
  };
}

Deno.test("faultNamed() knows every fault as it is easy to type, and no other", () => {
  for (const fault of [...FAULTS, ...PEACEFUL]) {
    assertEquals(faultNamed(fault), fault);
    assertEquals(faultNamed(fault.toUpperCase().replaceAll(" ", "-")), fault);
  }
  assertEquals(faultNamed("fire"), undefined);
});

Deno.test("changesIn() tells of one address, once each time it comes and goes", () => {
  const text = [
    line(1, "10.77.0.11"),
    line(2, "10.77.0.100"),
    line(3, "10.77.0.100"),
    line(4, "10.77.0.100", true),
    line(5, "10.77.0.100"),
    "",
  ].join("\n");
  assertEquals(changesIn(text, "lb1", "10.77.0.100"), [
    { at: at(2), node: "lb1", has: true },
    { at: at(4), node: "lb1", has: false },
    { at: at(5), node: "lb1", has: true },
  ]);
});

const MOVED = [
  { at: 0, node: "lb1", has: true },
  { at: 1300, node: "lb2", has: true },
  { at: 1900, node: "lb1", has: false },
];

Deno.test("ownership() counts two kernels with the address, and what was before is where it begins", () => {
  const seen = ownership(MOVED, { from: 1000, until: 3000, silent: null });
  assertEquals(seen, { noneMs: 0, bothMs: 600, bothAtEnd: false, moves: 1 });
});

Deno.test("ownership() counts a silent node as no owner, though its kernel has the address", () => {
  const seen = ownership(MOVED, { from: 1000, until: 1500, silent: "lb1" });
  assertEquals(seen, { noneMs: 300, bothMs: 200, bothAtEnd: true, moves: 1 });
});

Deno.test("ownership() counts to the end of the watched time, whoever sees more of it", () => {
  const gone = [{ at: 0, node: "lb1", has: true }, { at: 1200, node: "lb1", has: false }];
  const late = [...gone, { at: 5000, node: "lb2", has: true }];
  for (const changes of [gone, late, late.toReversed()]) {
    assertEquals(ownership(changes, { from: 1000, until: 2000, silent: null }).noneMs, 800);
  }
});

Deno.test("summarizeHa() allows a tenth and 20 ms above keepalived's median, and four requests", () => {
  const worse = (noneMs: number, failed: number) =>
    summarizeHa([
      sample("keepalived", 300, { failed: 60 }),
      sample("tandem", noneMs, { failed }),
    ])[1]!.worse;
  assertEquals(worse(350, 70), []);
  assertEquals(worse(351, 70), ["no owner"]);
  assertEquals(worse(350, 71), ["failed requests"]);
});

Deno.test("haTable() shows median and worst, and that two nodes held the address to the end", () => {
  const table = haTable(summarizeHa([
    sample("keepalived", 300),
    sample("keepalived", 310),
    sample("keepalived", 900, { bothMs: 4000, bothAtEnd: true }),
  ]));
  assertStringIncludes(table, "| 310 / 900 ");
  assertStringIncludes(table, "| > 0 / 4000 ");
});
