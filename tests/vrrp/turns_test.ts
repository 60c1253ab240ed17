import { Turns } from "../../vrrp/turns.ts";
import { assertEquals, assertRejects } from "../assert.ts";

Deno.test("Turns() does one after another, also after one that failed", async () => {
  const turns = new Turns();
  const done: string[] = [];
  const work = (name: string, fails = false) =>
    turns.take(async () => {
      done.push(`${name} begins`);
      await Promise.resolve();
      done.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });
  const [one, two, three] = [work("one"), work("two", true), work("three")];
  await assertRejects(() => two, Error, "two");
  assertEquals([await one, await three], ["one", "three"]);
  assertEquals(done, ["one begins", "one ends", "two begins", "two ends", "three begins", "three ends"]);
});
