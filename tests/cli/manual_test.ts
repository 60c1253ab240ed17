import { parseArgs } from "node:util";
import { described } from "../../docs/generate.ts";
import { manualPage } from "../../mod/cli/manual.ts";
import { TAKE_OVER } from "../../mod/cli/run.ts";
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

Deno.test("every command explains each of its options and no other, and its examples are calls of it", () => {
  for (const { name, command: { options, help, usage, arguments: most = 0 } } of DESCRIBED) {
    const explained = [...help.matchAll(/^ {2,6}(?:-\w, )?--([a-z-]+)/gm)].map(([, option]) => option!);
    const inUsage = [...usage.matchAll(/--([a-z-]+)/g)].map(([, option]) => option!);
    // One option is the program's own.
    const known = Object.keys(options).filter((option) => option !== TAKE_OVER);
    assertEquals(explained.filter((option) => !known.includes(option)), [], name);
    assertEquals(
      known.filter((option) => !explained.includes(option) && !inUsage.includes(option)),
      [],
      name,
    );
    const [, examples = ""] = /Examples?: +([^]*)$/.exec(help) ?? [];
    const calls = [...examples.matchAll(/\btandem ([a-z]+) ?([^\n,&|<>()]*)/g)]
      .filter(([, called]) => called === name);
    assert(calls.length > 0, name);
    for (const [call, , words = ""] of calls) {
      const args = words.split(" ").filter((word) => word !== "");
      const { positionals } = parseArgs({ args, options, allowPositionals: true });
      assert(positionals.length <= most, call);
    }
  }
});
