import { Fetches } from "../../mod/cache/fetches.ts";
import { assertEquals } from "../assert.ts";

Deno.test("Fetch.end() wakes all who wait, in their order, once it is over", () => {
  const fetches = new Fetches();
  const fetch = fetches.begin("k");
  const woken: string[] = [];
  for (const name of ["a", "b", "c"]) {
    fetch.waiters.add({ onFetched: (failed) => woken.push(`${name}${fetches.of("k") === null}${failed}`) });
  }
  assertEquals(fetches.of("k"), fetch);
  fetch.end();
  fetch.end();
  assertEquals(woken, ["atruefalse", "btruefalse", "ctruefalse"]);
});

Deno.test("Fetch.end() lets the first who was woken begin another, which the next one waits for", () => {
  const fetches = new Fetches();
  const first = fetches.begin("k");
  first.waiters.add({ onFetched: () => void fetches.begin("k") });
  first.waiters.add({ onFetched: () => void fetches.of("k")?.waiters.add({ onFetched: () => {} }) });
  first.end();
  assertEquals([fetches.of("k")?.waiters.size, fetches.of("k") === first], [1, false]);
  first.end();
  assertEquals([fetches.size, fetches.of("x")], [1, null]);
});
