import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { checkPurity } from "./purity.ts";
import plugin from "./purity_plugin.ts";
import { isPure, ROOT } from "./tree.ts";

async function check(source: string): Promise<{ ok: boolean; output: string }> {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, source);
    return await checkPurity([path]);
  } finally {
    await Deno.remove(path);
  }
}

function lint(path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, `${ROOT}/${path}`, source).map((found) => found.message);
}

Deno.test("isPure() is decided by the file's name alone", () => {
  assert(isPure("mod/http1/head.ts"));
  assert(isPure("vrrp/machine.ts"));
  for (const path of ["mod/net/deno_io.ts", "mod/cli/run.ts", "routes/app.ts", "main.ts"]) {
    assert(!isPure(path), path);
  }
});

Deno.test("checkPurity() accepts the language, encoders and URLs", async () => {
  const result = await check(
    `export const size = new TextEncoder().encode(new URL("http://a/").host).length + new SharedArrayBuffer(1).byteLength;`,
  );
  assertEquals(result.output, "");
  assert(result.ok);
});

Deno.test("checkPurity() refuses whatever the runtime adds", async () => {
  const names = [
    "Deno",
    "console",
    "setTimeout",
    "fetch",
    "performance",
    "crypto",
    "process",
    "Buffer",
    "Worker",
  ];
  const result = await check(names.map((name) => `export const use_${name} = ${name};`).join("\n"));
  assert(!result.ok);
  for (const name of names) assertStringIncludes(result.output, `Cannot find name '${name}'`);
});

Deno.test("purity_plugin() refuses clocks and randomness in pure files", () => {
  for (
    const use of [
      "Date.now()",
      "Math.random()",
      "performance.now()",
      "new Date()",
      "Date()",
      'Math["random"]()',
    ]
  ) {
    assertEquals(lint("mod/base/clock.ts", `export const x = ${use};`).length, 1, use);
  }
});

Deno.test("purity_plugin() leaves edges and given times alone", () => {
  assertEquals(lint("mod/base/clock_io.ts", "export const x = Date.now();"), []);
  assertEquals(
    lint("mod/base/clock.ts", "export const x = (now: number) => new Date(now).toISOString();"),
    [],
  );
});
