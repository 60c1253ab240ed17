import { type Completed, completionScript } from "../../mod/cli/completion.ts";
import { assertEquals, assertStringIncludes } from "../assert.ts";
import { tandem } from "./tandem.ts";

const COMMANDS: readonly Completed[] = [
  { name: "drain", summary: "give a server nothing new", options: ["--wait", "-w"], words: [] },
  { name: "vip", summary: "it's an address", options: ["--json"], words: ["move", "clean"] },
];

/** What bash offers behind these words. */
async function offered(script: string, ...words: string[]): Promise<string[]> {
  const line =
    `${script}\nCOMP_WORDS=(tandem "$@"); COMP_CWORD=$#; _tandem; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await new Deno.Command("bash", { args: ["-c", line, "bash", ...words], cwd: "/" })
    .output();
  return new TextDecoder().decode(stdout).trim().split("\n");
}

Deno.test("completionScript() completes commands, words and options in bash", async () => {
  const script = completionScript("bash", COMMANDS);
  assertEquals(await offered(script, "v"), ["vip"]);
  assertEquals(await offered(script, "vip", ""), ["move", "clean", "--json"]);
  assertEquals(await offered(script, "drain", "--w"), ["--wait"]);
});

Deno.test("completionScript() names everything for zsh and fish too, with quotes as they want them", () => {
  for (const shell of ["zsh", "fish"] as const) {
    const script = completionScript(shell, COMMANDS);
    for (const part of ["drain", "give a server nothing new", "move", "clean", `it'\\''s an address`]) {
      assertStringIncludes(script, part);
    }
  }
  assertStringIncludes(completionScript("fish", COMMANDS), '__fish_seen_subcommand_from drain" -l wait');
});

Deno.test("completion() prints the script of a shell, and names the shells otherwise", async () => {
  const { code, out } = await tandem(["completion", "bash"]);
  assertEquals([code, await offered(out, "server", "a")], [0, ["add"]]);
  assertEquals((await tandem(["completion", "csh"])).code, 2);
});
