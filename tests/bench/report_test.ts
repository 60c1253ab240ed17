import { assertEquals, assertStringIncludes } from "../assert.ts";
import { align, growth, median, type Sample, summarize, table } from "../../bench/report.ts";

function sample(product: string, cpuPerRequest: number, errors = 0): Sample {
  return { scenario: "small", product, cpuPerRequest, requestsPerSecond: 1000, p50: 500, p99: 2500, errors };
}

Deno.test("median() is the middle value, or halfway between the two middle ones", () => {
  assertEquals(median([30, 10, 20]), 20);
  assertEquals(median([4, 1, 3, 2]), 2.5);
  assertEquals(median([10, 9, 100]), 10);
});

Deno.test("growth() looks at the second half only and shrugs off a single peak", () => {
  const warmUp = Array.from({ length: 50 }, (_, index) => 50 + index);
  const flat = Array.from({ length: 50 }, () => 100);
  assertEquals(growth([...warmUp, ...flat]), 0);
  assertEquals(growth([...warmUp, ...flat.with(47, 500)]), 0);
  const rising = Array.from({ length: 50 }, (_, index) => index < 40 ? 100 : 125);
  assertEquals(growth([...warmUp, ...rising]), 0.25);
});

Deno.test("summarize() takes medians, sums errors and compares with the reference", () => {
  const rows = summarize([
    ...[22, 18, 90].map((cpu, index) => sample("tandem", cpu, index)),
    ...[20, 21, 19].map((cpu) => sample("haproxy", cpu)),
  ]);
  assertEquals(rows.map((row) => row.product), ["tandem", "haproxy"]);
  assertEquals(rows.map((row) => row.cpuPerRequest), [22, 20]);
  assertEquals(rows.map((row) => row.ratio), [1.1, 1]);
  assertEquals(rows[0]?.errors, 3);
  assertEquals(rows[0]?.repetitions, 3);
});

Deno.test("summarize() compares with nginx where HAProxy was not measured", () => {
  const rows = summarize([sample("tandem", 22), sample("nginx", 20)]);
  assertEquals(rows.map((row) => row.ratio), [1.1, 1]);
});

Deno.test("summarize() gives no ratio when the reference was not measured", () => {
  assertEquals(summarize([sample("tandem", 22)])[0]?.ratio, null);
  assertStringIncludes(table(summarize([sample("tandem", 22)])), "small     tandem         22.0       -");
});

Deno.test("align() puts names left and numbers right", () => {
  assertEquals(align([["a", "b", "long"], ["aaa", "b", "1"]]), "a    b  long\naaa  b     1");
});
