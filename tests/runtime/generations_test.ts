import { NO_CHANGES } from "../../mod/config/live.ts";
import { Generations } from "../../mod/runtime/generations.ts";
import { assertEquals } from "../assert.ts";

Deno.test("Generations() accepts what the balancer is ready with and forgets older offers", () => {
  const generations = new Generations();
  assertEquals(generations.offer("a").generation, 1);
  assertEquals(generations.accepted, null);
  generations.offer("b");
  assertEquals(generations.ready(2), true);
  assertEquals(generations.accepted, { generation: 2, text: "b", live: NO_CHANGES });
  assertEquals(generations.pending, false);
  assertEquals(generations.ready(1), false);
  assertEquals(generations.ready(77), false);
});

Deno.test("Generations() keeps the last good configuration when one is refused", () => {
  const generations = new Generations();
  generations.offer("a");
  generations.ready(1);
  generations.offer("bad");
  assertEquals(generations.rejected(2, ["no"]), true);
  assertEquals(generations.rejected(2, ["no"]), false);
  assertEquals(generations.accepted?.text, "a");
  assertEquals(generations.offer("c").generation, 3);
});

Deno.test("Generations() offers a new balancer what ran, not what may have killed the old one", () => {
  const generations = new Generations();
  generations.offer("a");
  generations.ready(1);
  generations.offer("poison");
  assertEquals(generations.restart(), {
    configuration: { generation: 1, text: "a", live: NO_CHANGES },
    dropped: [2],
  });
  assertEquals(generations.restart(), {
    configuration: { generation: 1, text: "a", live: NO_CHANGES },
    dropped: [],
  });
  assertEquals(generations.ready(1), true);
  assertEquals(generations.pending, false);
});

Deno.test("Generations() offers the newest when none was ever accepted", () => {
  const generations = new Generations();
  generations.offer("a");
  generations.offer("b");
  assertEquals(generations.restart(), {
    configuration: { generation: 2, text: "b", live: NO_CHANGES },
    dropped: [1],
  });
  assertEquals(generations.ready(2), true);
});

Deno.test("Generations() changing only while another configuration than the one that runs is on offer", () => {
  const generations = new Generations();
  generations.offer("a");
  assertEquals(generations.changing, false);
  generations.ready(1);
  assertEquals(generations.changing, false);
  generations.offer("b");
  assertEquals(generations.changing, true);
  // A new balancer is offered what ran before, which is no change.
  generations.restart();
  assertEquals([generations.changing, generations.pending], [false, true]);
});

Deno.test("outcome() says what became of an offer: in force, refused, or given up with the balancer", async () => {
  const generations = new Generations();
  generations.offer("a");
  generations.offer("b");
  const first = [generations.outcome(1), generations.outcome(2)];
  generations.ready(2);
  assertEquals(await Promise.all(first), [[], []]);
  generations.offer("bad");
  generations.offer("poison");
  const later = [generations.outcome(3), generations.outcome(4)];
  generations.rejected(3, ["cannot bind"]);
  generations.restart();
  assertEquals(await Promise.all(later), [["cannot bind"], [
    "the reload was given up, as the balancer ended meanwhile",
  ]]);
});
