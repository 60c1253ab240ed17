import { fitLines, fitRows } from "../../mod/cli/fit.ts";
import { assertEquals } from "../assert.ts";

Deno.test("fitLines() cuts what is wider than the terminal, and nothing where there is none", () => {
  const text = "node lb1\n  äöü😀 and more\n\n";
  assertEquals(fitLines(text, 8), "node lb1\n  äöü😀 …\n\n");
  assertEquals(fitLines(text, 80), text);
  assertEquals(fitLines(text, null), text);
});

Deno.test("fitRows() keeps the top, and says how much more there is", () => {
  const text = "1\n2\n3\n4\n5\n";
  assertEquals(fitRows(text, 6), text);
  assertEquals(fitRows(text, 5), "1\n2\n3\n… 2 more lines\n");
  assertEquals(fitRows(text, 1), "1\n… 4 more lines\n");
  assertEquals(fitRows(text, null), text);
});
