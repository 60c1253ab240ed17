import fc from "fast-check";
import { RowAllocator, Rows } from "../../mod/config/rows.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

Deno.test("Rows() gives a name the same row for as long as it is kept", () => {
  const rows = new Rows(8, "servers");
  assertEquals([rows.row("a"), rows.row("b"), rows.row("a")], [0, 1, 0]);
  rows.keep(new Set(["b"]));
  assertEquals([rows.row("b"), rows.row("c")], [1, 2]);
});

Deno.test("Rows() gives a name that comes back its old row", () => {
  const rows = new Rows(8, "servers");
  rows.row("a");
  rows.row("b");
  rows.keep(new Set(["b"]));
  assertEquals(rows.row("a"), 0);
});

Deno.test("Rows() uses a row again only when no fresh one is left, the one unused for longest first", () => {
  const rows = new Rows(3, "servers");
  for (const name of ["a", "b", "c"]) rows.row(name);
  rows.keep(new Set(["b", "c"]));
  rows.keep(new Set(["c"]));
  assertEquals([rows.row("d"), rows.row("e")], [0, 1]);
});

Deno.test("Rows() says what there is too much of", () => {
  const rows = new Rows(1, "servers");
  rows.row("a");
  assertThrows(
    () => rows.row("b"),
    Error,
    "Cannot use this configuration as there is room for 1 servers, those it replaces included",
  );
  assertEquals(rows.row("a"), 0);
});

Deno.test("Rows() no two names in use ever share a row, whatever comes and goes", () => {
  const sets = fc.array(fc.uniqueArray(fc.constantFrom(..."abcdefghij"), { maxLength: 5 }), {
    maxLength: 50,
  });
  fc.assert(fc.property(sets, (script) => {
    const rows = new Rows(10, "servers");
    let before = new Map<string, number>();
    for (const names of script) {
      const now = new Map(names.map((name) => [name, rows.row(name)]));
      rows.keep(new Set(names));
      assertEquals(new Set(now.values()).size, names.length);
      for (const [name, row] of now) {
        assert(row >= 0 && row < 10);
        if (before.has(name)) assertEquals(row, before.get(name));
      }
      before = now;
    }
  }));
});

Deno.test("RowAllocator.routeRow() gives routes rows behind those of pools, and one to all that are too many", () => {
  const rows = new RowAllocator({ listeners: 1, pools: 4, servers: 1, routes: 2 });
  assertEquals(["a", "b", "c", "d", "a"].map((label) => rows.routeRow(label)), [4, 5, 6, 6, 4]);
  rows.routes.keep(new Set(["b", "d"]));
  assertEquals(["b", "d"].map((label) => rows.routeRow(label)), [5, 4]);
});
