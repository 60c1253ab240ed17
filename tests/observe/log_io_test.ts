import { assert, assertEquals, assertMatch } from "../assert.ts";

Deno.test("setUpLog() does not hold its thread up when nobody reads, and tells what was lost", async () => {
  await using program = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", new URL("stalled_log_program.ts", import.meta.url).href],
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stdout = program.stdout.getReader();
  assertEquals(new TextDecoder().decode((await stdout.read()).value), "alive\n");
  // Only now is anything read: what the pipe and the backlog hold.
  await program.stdin.close();
  const text = await new Response(program.stderr).text();
  await stdout.cancel();
  const lines = text.trimEnd().split("\n");
  assert(lines.length > 5000 && lines.length < 20_000, `${lines.length} lines`);
  lines.slice(0, -2).forEach((line, number) => assert(line.includes(` line ${number} `), line));
  assertMatch(lines.at(-2)!, /lines were lost, as nobody read the log lines=\d+$/);
  assertMatch(lines.at(-1)!, /the last words$/);
  assertEquals((await program.status).code, 3);
});
