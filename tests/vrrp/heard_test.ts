import { stateTimes } from "../../vrrp/heard.ts";
import type { Report } from "../../vrrp/report.ts";
import { assertEquals } from "../assert.ts";

function report(state: Report["instances"][number]["state"]): Report {
  const instances = [{ vrid: 51, state, priority: 100, health: 100, reason: "" }];
  return { version: "1", uptimeMs: 0, maintenance: false, instances, pools: [], admin: [], omitted: 0 };
}

Deno.test("stateTimes() goes on while a report tells of the same state, and begins anew with another", () => {
  const first = { report: report("backup"), stateSince: stateTimes(undefined, report("backup"), 10) };
  const same = { report: report("backup"), stateSince: stateTimes(first, report("backup"), 20) };
  const other = stateTimes(same, report("active"), 30);
  assertEquals([first, same].map(({ stateSince }) => stateSince.get(51)), [10, 10]);
  assertEquals(other.get(51), 30);
});
