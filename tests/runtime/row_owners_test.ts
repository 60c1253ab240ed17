import type { Snapshot } from "../../mod/config/snapshot.ts";
import { RowOwners } from "../../mod/runtime/row_owners.ts";
import { assertEquals } from "../assert.ts";

function snapshot(listeners: [string, number][], servers: [string, number][]): Snapshot {
  return {
    listeners: listeners.map(([name, row]) => ({ name, row, routes: [] })),
    pools: [{
      name: "p",
      row: 0,
      servers: servers.map(([host, slot]) => ({ name: "s", host, port: 1, slot })),
    }],
  } as unknown as Snapshot;
}

const NONE = { servers: [], listeners: [], traffic: [] };

Deno.test("RowOwners() names the rows that went to another, and neither new nor unchanged ones", () => {
  const owners = new RowOwners();
  assertEquals(owners.claim(snapshot([["a", 0]], [["h1", 0], ["h2", 1]])), NONE);
  assertEquals(owners.claim(snapshot([["a", 0]], [["h1", 0]])), NONE);
  assertEquals(owners.claim(snapshot([["b", 0], ["a", 1]], [["h1", 0], ["h3", 1]])), {
    ...NONE,
    servers: [1],
    listeners: [0],
  });
  assertEquals(owners.claim(snapshot([["b", 0]], [["h3", 1]])), NONE);
});

Deno.test("RowOwners() knows whose the rows of routes and pools are, but for the one that many share", () => {
  const owners = new RowOwners();
  const claim = (pool: [string, number], routes: [string, number][]) =>
    owners.claim({
      pools: [{ name: pool[0], row: pool[1], servers: [] }],
      listeners: [{ name: "web", row: 0, routes: [{}, ...routes.map(([label, row]) => ({ label, row }))] }],
    } as unknown as Snapshot).traffic;
  assertEquals(claim(["p", 0], [["/a", 1], ["/b", 2], ["/c", 2]]), []);
  assertEquals(claim(["p", 0], [["/a", 1], ["/c", 2], ["/d", 2]]), []);
  assertEquals(claim(["q", 0], [["/b", 1], ["/c", 2], ["/d", 2]]), [0, 1]);
});
