import { IdleConnections, MOST_IDLE } from "../../mod/net/idle.ts";
import { assertEquals } from "../assert.ts";

Deno.test("IdleConnections gives the one used last of a server first", () => {
  const idle = new IdleConnections<string>();
  for (const name of ["a", "b", "c"]) idle.put(3, name);
  idle.put(0, "other");
  assertEquals([idle.take(3), idle.take(3), idle.take(3), idle.take(3)], ["c", "b", "a", null]);
  assertEquals(idle.take(7), null);
  assertEquals(idle.size, 1);
});

Deno.test("IdleConnections.remove() takes one out, and none that is not there", () => {
  const idle = new IdleConnections<string>();
  for (const name of ["a", "b", "c"]) idle.put(1, name);
  idle.remove(1, "b");
  idle.remove(1, "b");
  idle.remove(9, "a");
  assertEquals(idle.size, 2);
  assertEquals([idle.take(1), idle.take(1)], ["c", "a"]);
});

Deno.test("IdleConnections.put() keeps so many a server", () => {
  const idle = new IdleConnections<number>();
  for (let i = 0; i < MOST_IDLE; i++) assertEquals(idle.put(0, i), true);
  assertEquals(idle.put(0, MOST_IDLE), false);
  assertEquals(idle.put(1, 0), true);
});

Deno.test("IdleConnections.clear() empties one server or all", () => {
  const idle = new IdleConnections<string>();
  idle.put(0, "a");
  idle.put(2, "b");
  idle.put(2, "c");
  assertEquals(idle.slots(), [0, 2]);
  assertEquals(idle.clear(2), ["b", "c"]);
  assertEquals([idle.size, idle.slots()], [1, [0]]);
  assertEquals(idle.clear(), ["a"]);
  assertEquals(idle.size, 0);
});
