import { Timeline } from "../../mod/runtime/timeline.ts";
import { assertEquals } from "../assert.ts";

Deno.test("Timeline() tells what came last first, of this node and of its peers, each state once", () => {
  const timeline = new Timeline("lb1");
  timeline.told(1, "lb2", { instance: "edge", state: "active", why: "it is alone" });
  timeline.told(2, "lb2", { instance: "edge", state: "active", why: "still" });
  timeline.own(3, { instance: "edge", from: "backup", to: "active", why: "it preempts" });
  timeline.told(4, "lb2", { instance: "edge", state: "backup", why: "lb1 is better" });
  assertEquals(timeline.list, [
    { at: 4, node: "lb2", instance: "edge", from: "active", to: "backup", why: "lb1 is better" },
    { at: 3, node: "lb1", instance: "edge", from: "backup", to: "active", why: "it preempts" },
    { at: 1, node: "lb2", instance: "edge", from: null, to: "active", why: "it is alone" },
  ]);
});

Deno.test("Timeline() forgets what is oldest, and follows no more peers than it can", () => {
  const timeline = new Timeline("lb1");
  for (let at = 0; at < 2000; at++) {
    timeline.told(at, `n${at}`, { instance: "edge", state: "backup", why: "" });
  }
  assertEquals([timeline.list.length, timeline.list[0]!.at, timeline.list.at(-1)!.at], [100, 999, 900]);
});
