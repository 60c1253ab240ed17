import { assert, assertEquals } from "../assert.ts";
import { missing, requireTool } from "./tools.ts";

Deno.test("requireTool() finds a program that every system has", () => {
  const tool = requireTool("sh");
  assert("path" in tool && tool.path.endsWith("/sh"));
  assertEquals(missing("sh"), null);
});

Deno.test("requireTool() says why a program is not there", () => {
  assertEquals(requireTool("no-such-program"), { skip: "needs no-such-program" });
  assertEquals(missing("no-such-program"), "needs no-such-program");
});
