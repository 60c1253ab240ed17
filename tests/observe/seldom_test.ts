import { Seldom } from "../../mod/observe/seldom.ts";
import { assertEquals } from "../assert.ts";

Deno.test("admit() lets the same pass once in a while, for ever, and others meanwhile", () => {
  const seldom = new Seldom(60_000);
  const passed = (key: string, seconds: number) =>
    Array.from({ length: seconds }, (_, at) => seldom.admit(key, at * 1000)).filter(Boolean).length;
  assertEquals([passed("one", 600), passed("other", 61)], [10, 2]);
});

Deno.test("admit() remembers few, and forgets first what was told first", () => {
  const seldom = new Seldom(60_000);
  for (let n = 0; n < 10_000; n++) assertEquals(seldom.admit(`key ${n}`, 0), true);
  assertEquals([seldom.admit("key 9999", 1), seldom.admit("key 1", 1)], [false, true]);
});
