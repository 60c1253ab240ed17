import { Watch } from "../../mod/cli/watch.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { freePort, tandemCommand, withDirectory } from "./tandem.ts";

const NOON = Date.parse("2026-01-02T12:00:00.400Z");

Deno.test("Watch() clears a terminal before each answer, and writes a block with its time elsewhere", () => {
  assertEquals(
    new Watch("screen").show({ text: "lb1\n" }, NOON),
    "\x1b[H\x1b[2J2026-01-02 12:00:00 UTC, every second; Ctrl-C ends\n\nlb1\n",
  );
  assertEquals(new Watch("blocks").show({ text: "lb1\n" }, NOON), "2026-01-02 12:00:00 UTC\nlb1\n\n");
});

Deno.test("Watch() keeps its head on a terminal of few rows", () => {
  const shown = new Watch("screen").show({ text: "1\n2\n3\n4\n" }, NOON, 6);
  assertEquals(shown.split("\n").slice(1), ["", "1", "2", "… 2 more lines", ""]);
  assertStringIncludes(shown, "Ctrl-C ends");
});

Deno.test("Watch() says since when a node does not answer, and begins anew when it has answered", () => {
  const watch = new Watch("blocks");
  const missing = { problem: "Cannot read it\n" };
  assertStringIncludes(watch.show(missing, NOON), "No answer since 2026-01-02 12:00:00 UTC (0 s): Cannot");
  assertStringIncludes(
    watch.show(missing, NOON + 3000),
    "since 2026-01-02 12:00:00 UTC (3 s): Cannot read it\n",
  );
  watch.show({ text: "lb1\n" }, NOON + 4000);
  assertStringIncludes(watch.show(missing, NOON + 5000), "since 2026-01-02 12:00:05 UTC (0 s)");
});

Deno.test("Watch() gives programs one document a line, whatever happens", () => {
  const watch = new Watch("lines");
  const lines = watch.show({ text: '{\n  "a": "b\\n"\n}\n' }, NOON) + watch.show({ problem: "gone\n" }, NOON);
  assertEquals(lines.trimEnd().split("\n").map((line) => JSON.parse(line)), [
    { a: "b\n" },
    { error: "gone", since: "2026-01-02T12:00:00.400Z" },
  ]);
});

Deno.test("watch() goes on while nobody answers, sees the node come, and ends on Ctrl-C with 0", async () => {
  await withDirectory(async (directory) => {
    const port = freePort();
    const args = ["status", "--watch", "--json", "--url", `127.0.0.1:${port}`];
    const child = tandemCommand(args, { env: { RUNTIME_DIRECTORY: directory } }).spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const until = async (wanted: (text: string) => boolean) => {
      while (!wanted(text)) {
        const { done, value } = await lines.read();
        assert(!done, text);
        text += value;
      }
    };
    await until((text) => text.split("\n").length > 2);
    const errors = text.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert(errors.every(({ error, since }) => error.includes("refused") && since === errors[0].since), text);
    const status = { node: "lb9", pools: [], listeners: [], workers: [] };
    const server = Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, () => Response.json(status));
    await until((text) => text.includes('"node":"lb9"'));
    child.kill("SIGINT");
    assertEquals((await child.status).code, 0);
    await lines.cancel();
    await child.stderr.cancel();
    await server.shutdown();
  });
});

Deno.test("watch() ends when whoever reads it has gone", async () => {
  const args = ["status", "--watch", "--url", `127.0.0.1:${freePort()}`];
  const child = tandemCommand(args).spawn();
  const lines = child.stdout.getReader();
  await lines.read();
  await lines.cancel();
  await child.stderr.cancel();
  assertEquals((await child.status).code, 0);
});
