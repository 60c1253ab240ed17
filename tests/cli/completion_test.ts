import { type Completed, completionScript } from "../../mod/cli/completion.ts";
import { assertEquals, assertStringIncludes } from "../assert.ts";
import { tandem } from "./tandem.ts";

const COMMANDS: readonly Completed[] = [
  {
    name: "drain",
    summary: "give a server nothing new",
    options: ["--wait", "-w"],
    words: [],
    names: "none",
  },
  { name: "vip", summary: "it's an address", options: ["--json"], words: ["move", "clean"], names: "none" },
];

/** What bash offers behind these words. */
async function offered(script: string, ...words: string[]): Promise<string[]> {
  return await offeredIn("/", script, ...words);
}

async function offeredIn(cwd: string, script: string, ...words: string[]): Promise<string[]> {
  const line =
    `${script}\nCOMP_WORDS=(tandem "$@"); COMP_CWORD=$#; _tandem; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await new Deno.Command("bash", { args: ["-c", line, "bash", ...words], cwd })
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

Deno.test("completion() offers levels, files and servers, and no flag of the program's own", async () => {
  const { out } = await tandem(["completion", "bash"]);
  assertEquals(await offered(out, "log", "d"), ["debug"]);
  assertEquals(await offered(out, "plan", "/et"), ["/etc"]);
  assertEquals(await offered(out, "check", "-c", "/et"), ["/etc"]);
  assertEquals(await offered(out, "run", "--take"), [""]);
  const asked = `tandem() { [ "$1 $2" = "completion servers" ] && printf 'app/web1\\napp/web2\\n'; }\n${out}`;
  assertEquals(await offered(asked, "drain", "app/"), ["app/web1", "app/web2"]);
});

Deno.test("completion() offers files whatever they are called, and runs nothing of their names", async () => {
  const { out } = await tandem(["completion", "bash"]);
  const directory = await Deno.makeTempDir();
  try {
    const names = ["$(touch run)", "`touch run`", "a b.yaml"];
    for (const name of names) await Deno.writeTextFile(`${directory}/${name}`, "");
    for (const words of [["plan", ""], ["import", ""], ["check", "-c", ""]]) {
      const files = (await offeredIn(directory, out, ...words)).filter((name) => !name.startsWith("-"));
      assertEquals(files.sort(), names.toSorted(), words.join(" "));
    }
    assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name).sort(), names.toSorted());
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("completion() of names is silent where no node answers", async () => {
  assertEquals(await tandem(["completion", "servers", "--node", "nonesuch"]), { code: 1, out: "", err: "" });
});
