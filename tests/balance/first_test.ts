import { assertEquals } from "../assert.ts";
import { first } from "../../mod/balance/first.ts";
import { optionsFor, Servers } from "./servers.ts";

Deno.test("first() fills servers in their order", () => {
  const servers = new Servers([1, 9, 1]);
  const policy = first(optionsFor([1, 9, 1]));
  servers.eligible = (index) => servers.actives[index]! < 2;
  const picks = Array.from({ length: 7 }, () => {
    const index = policy.pick(servers, 0, 0);
    if (index >= 0) servers.actives[index]! += 1;
    return index;
  });
  assertEquals(picks, [0, 0, 1, 1, 2, 2, -1]);
  servers.actives[1]! -= 1;
  assertEquals(policy.pick(servers, 0, 0), 1);
});

Deno.test("first() takes a server of weight 0 only when no other is left", () => {
  const servers = new Servers([0, 1, 0]);
  const policy = first(optionsFor([0, 1, 0]));
  assertEquals(policy.pick(servers, 0, 0), 1);
  servers.eligibles[1] = false;
  assertEquals(policy.pick(servers, 0, 0), 0);
});
