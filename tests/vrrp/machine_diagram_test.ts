/** The page about the states is drawn from the table. */
import { drawDiagram, drawMoves } from "../../vrrp/diagram.ts";
import { TABLE } from "../../vrrp/table.ts";
import { assert, assertEquals } from "../assert.ts";
import { read } from "../style/tree.ts";

const page = read("docs/vrrp-states.md");

Deno.test("drawDiagram() is what docs/vrrp-states.md shows", () => {
  assertEquals(/```mermaid\n([\s\S]*?)\n```/.exec(page)?.[1], drawDiagram());
});

Deno.test("drawMoves() is what docs/vrrp-states.md lists", () => {
  assert(page.includes(drawMoves()), `the page lacks this table:\n${drawMoves()}`);
});

Deno.test("drawDiagram() has every phase, and each can be entered and left", () => {
  const lines = drawDiagram().split("\n");
  for (const phase of Object.keys(TABLE)) {
    assert(lines.some((line) => line.includes(`--> ${phase}`)), phase);
    assert(lines.some((line) => line.startsWith(`  ${phase} -->`)), phase);
  }
});
