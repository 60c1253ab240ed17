import { fitLines } from "../../mod/cli/fit.ts";
import { assertEquals } from "../assert.ts";

Deno.test("fitLines() cuts what is wider than the terminal, and nothing where there is none", () => {
  const text = "node lb1\n  äöü😀 and more\n\n";
  assertEquals(fitLines(text, 8), "node lb1\n  äöü😀 …\n\n");
  assertEquals(fitLines(text, 80), text);
  assertEquals(fitLines(text, null), text);
});
