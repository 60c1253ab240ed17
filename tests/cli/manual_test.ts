import { described } from "../../docs/generate.ts";
import { manualPage } from "../../mod/cli/manual.ts";
import { assert, assertEquals } from "../assert.ts";

/** Loaded for good, with the libraries that commands need. */
const DESCRIBED = await described();

Deno.test("manualPage() docs/cli.md is the page of these commands: otherwise run deno task docs", () => {
  const kept = Deno.readTextFileSync(new URL("../../docs/cli.md", import.meta.url));
  assertEquals(kept.split("\n"), manualPage(DESCRIBED).split("\n"));
});

Deno.test("every command has an example in its help, and no line that a terminal breaks", () => {
  for (const { name, command } of DESCRIBED) {
    const long = command.help.split("\n").filter((line) => line.length > 120);
    assertEquals(long, [], name);
    assert(/Examples?: +\S/.test(command.help), name);
  }
});
