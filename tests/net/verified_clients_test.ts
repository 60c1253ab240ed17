import { VerifiedClients } from "../../mod/net/verified_clients.ts";
import { assertEquals } from "../assert.ts";

Deno.test("VerifiedClients() forgets the oldest beyond ten thousand", () => {
  const clients = new VerifiedClients();
  for (let n = 0; n < 10_000; n++) clients.add(String(n));
  assertEquals([clients.has("0"), clients.has("9999"), clients.has("x")], [true, true, false]);
  clients.add("0");
  clients.add("10000");
  assertEquals(["0", "1", "2", "10000"].map((name) => clients.has(name)), [true, false, true, true]);
});
