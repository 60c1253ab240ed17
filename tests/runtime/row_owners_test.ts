import type { Snapshot } from "../../mod/config/snapshot.ts";
import { RowOwners } from "../../mod/runtime/row_owners.ts";
import { assertEquals } from "../assert.ts";

function snapshot(listeners: [string, number][], servers: [string, number][]): Snapshot {
  return {
    listeners: listeners.map(([name, row]) => ({ name, row })),
    pools: [{ name: "p", servers: servers.map(([host, slot]) => ({ name: "s", host, port: 1, slot })) }],
  } as unknown as Snapshot;
}

Deno.test("RowOwners() names the rows that went to another, and neither new nor unchanged ones", () => {
  const owners = new RowOwners();
  assertEquals(owners.claim(snapshot([["a", 0]], [["h1", 0], ["h2", 1]])), { servers: [], listeners: [] });
  assertEquals(owners.claim(snapshot([["a", 0]], [["h1", 0]])), { servers: [], listeners: [] });
  assertEquals(owners.claim(snapshot([["b", 0], ["a", 1]], [["h1", 0], ["h3", 1]])), {
    servers: [1],
    listeners: [0],
  });
  assertEquals(owners.claim(snapshot([["b", 0]], [["h3", 1]])), { servers: [], listeners: [] });
});
