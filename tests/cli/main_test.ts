import { editorSchema } from "../../mod/config/json_schema.ts";
import { assert, assertEquals, assertMatch, assertNotMatch, assertStringIncludes } from "../assert.ts";
import { RUN, tandem, withDirectory } from "./tandem.ts";

Deno.test("main() help lists the commands for people, on stdout and with exit code 0", async () => {
  const { code, out, err } = await tandem(["help"]);
  assertEquals([code, err], [0, ""]);
  for (const name of ["run", "check", "demo", "status", "schema", "version"]) {
    assertMatch(out, new RegExp(`^  ${name} +\\S`, "m"));
  }
  assertNotMatch(out, /balancer +/);
  for (const args of [["--help"], ["-h"]]) assertEquals((await tandem(args)).out, out);
});

Deno.test("main() without a command shows the same on stderr, with exit code 2", async () => {
  const { code, out, err } = await tandem([]);
  assertEquals([code, out], [2, ""]);
  assertStringIncludes(err, "Usage: tandem COMMAND");
});

Deno.test("main() help of a command says its options", async () => {
  const { code, out } = await tandem(["help", "check"]);
  assertEquals(code, 0);
  assertStringIncludes(out, "--context NAME");
  assertEquals((await tandem(["check", "--help"])).out, out);
});

Deno.test("main() a command that there is not: what was meant, and exit code 2", async () => {
  const expected: [args: string[], said: string][] = [
    [["chek"], 'tandem: there is no command "chek" (did you mean check?); see tandem help\n'],
    [["balancr"], 'tandem: there is no command "balancr"; see tandem help\n'],
    [["toString"], 'tandem: there is no command "toString"; see tandem help\n'],
    [["help", "nothing"], 'tandem: there is no command "nothing"; see tandem help\n'],
  ];
  for (const [args, said] of expected) assertEquals(await tandem(args), { code: 2, out: "", err: said });
});

Deno.test("main() options that a command does not have: what was meant, and exit code 2", async () => {
  const expected: [args: string[], said: string][] = [
    [["check", "--nod", "x"], "Unknown option '--nod' (did you mean --node?)"],
    [["check", "tandem.yaml"], 'takes no arguments, but was given "tandem.yaml" (the file is -c FILE)'],
    [["schema", "x"], 'takes no arguments, but was given "x"'],
    [["demo", "--port", "web"], 'needs a port between 1 and 65535, not "web"'],
    [
      ["maintenance", "on", "--both"],
      "takes no --both with on, which would leave the addresses to nobody: name one node",
    ],
    [
      ["certificates", "forget", "a.test", "--both"],
      "takes no --both with forget: nodes that can ask each other share their certificates",
    ],
    [
      ["reload", "--both", "--node", "not-here"],
      "takes --both with --node of a node on this machine, and not-here has no socket here",
    ],
    [
      ["sessions", "app", "--forget", "--limit", "5"],
      "takes --limit to show sessions, not with --forget",
    ],
    [
      ["sessions", "app", "--set", "web2", "--value", "x", "--after", "5"],
      "takes --after to show sessions, not with --set",
    ],
    [["check", "-c"], "Option '-c, --config <value>' argument missing"],
  ];
  for (const [args, said] of expected) {
    const [name] = args;
    assertEquals(await tandem(args), {
      code: 2,
      out: "",
      err: `tandem ${name}: ${said}; see tandem ${name} --help\n`,
    });
  }
});

Deno.test("main() upgrade of a node that does not run on this machine says so", async () => {
  await withDirectory(async (directory) => {
    const { code, err } = await tandem(["upgrade", "--node", "lb2"], {
      env: { RUNTIME_DIRECTORY: directory },
    });
    assertEquals(code, 1);
    assertStringIncludes(err, "there is no socket, so no node of that name runs here");
  });
});

Deno.test("main() version is one line", async () => {
  const { code, out } = await tandem(["version"]);
  assertEquals(code, 0);
  assertMatch(out, /^tandem \d+\.\d+\.\d+ \(deno \d+\.\d+\.\d+\)\n$/);
  assertEquals((await tandem(["--version"])).out, out);
});

Deno.test("main() schema prints the JSON Schema", async () => {
  const { code, out } = await tandem(["schema"]);
  assertEquals(code, 0);
  assertEquals(JSON.parse(out), JSON.parse(JSON.stringify(editorSchema())));
  assert(out.endsWith("}\n"));
});

Deno.test("main() an output that cannot be written is one line and exit code 1, and a reader that has gone none", async () => {
  const to = async (where: string) => {
    const script = `"$@" ${where}`;
    const args = ["-c", script, "sh", Deno.execPath(), ...RUN, "schema"];
    const { code, stderr } = await new Deno.Command("sh", { args }).output();
    return { code, err: new TextDecoder().decode(stderr) };
  };
  const full = await to("> /dev/full");
  assertEquals(full.code, 1);
  assertMatch(full.err, /^Cannot write the output: [^\n]*No space left[^\n]*\n$/);
  assertEquals(await to("| true"), { code: 0, err: "" });
});
