import { assertEquals } from "./assert.ts";
import { countJUnit, runTests } from "./run.ts";

Deno.test("countJUnit() counts passed, failed and skipped tests and names the skipped ones", () => {
  const report = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="4" failures="1" errors="0" time="0.145">
  <testsuite name="./a_test.ts" tests="4" disabled="1" errors="0" failures="1">
    <testcase name="a() passes" classname="./a_test.ts" time="0.001" line="1" col="6">
    </testcase>
    <testcase name="b() passes too" classname="./a_test.ts" time="0.001" line="1" col="6"/>
    <testcase name="c() 1 &gt; 0 (skipped: needs root)" classname="./a_test.ts" time="0.000">
      <skipped/>
    </testcase>
    <testcase name="d() fails" classname="./a_test.ts" time="0.002" line="3" col="6">
      <failure message="Uncaught Error: &lt;skipped/&gt;">Error</failure>
    </testcase>
  </testsuite>
</testsuites>`;
  assertEquals(countJUnit(report), { passed: 2, failed: 1, skipped: ["c() 1 > 0 (skipped: needs root)"] });
});

Deno.test("countJUnit() finds nothing in a report that was never written", () => {
  assertEquals(countJUnit(""), { passed: 0, failed: 0, skipped: [] });
});

Deno.test("runTests() counts a failing test, a leak, a hang, and a file that does not load", async () => {
  const sources = {
    passing:
      `Deno.test("passes", () => {}); Deno.test({ name: "waits (skipped: needs a moon)", ignore: true, fn() {} });`,
    failing: `Deno.test("fails", () => { throw new Error("on purpose"); });`,
    leaking: `Deno.test("leaks", () => { setTimeout(() => {}, 60_000); });`,
    hanging:
      `Deno.test({ name: "hangs", timeout: 100, fn: () => new Promise(() => setTimeout(() => {}, 60_000)) });
      Deno.test("goes on", () => {});`,
    broken: `throw new Error("on purpose");`,
  };
  const counted: Record<string, [number, number, string[]]> = {};
  for (const [name, source] of Object.entries(sources)) {
    const directory = await Deno.makeTempDir({ prefix: "tandem-run-" });
    try {
      await Deno.writeTextFile(`${directory}/${name}_test.ts`, source);
      const { passed, failed, skipped } = await runTests([directory], [], "null");
      counted[name] = [passed, failed, skipped];
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  }
  assertEquals(counted, {
    passing: [1, 0, ["waits (skipped: needs a moon)"]],
    failing: [0, 1, []],
    leaking: [0, 1, []],
    hanging: [1, 1, []],
    broken: [0, 1, []],
  });
});

Deno.test("deadline() gives a test that sets none a deadline, however it is registered", async () => {
  const source = `const hang = () => new Promise(() => setTimeout(() => {}, 60_000));
    Deno.test("a", hang); Deno.test({ name: "b", fn: hang }); Deno.test("c", { ignore: false }, hang);
    Deno.test(function d() { return hang(); }); Deno.test({ ignore: false }, function e() { return hang(); });
    Deno.test("f", () => {}); Deno.test("g", { ignore: true }, hang);`;
  const directory = await Deno.makeTempDir({ prefix: "tandem-run-" });
  Deno.env.set("TANDEM_TEST_TIMEOUT_MS", "50");
  try {
    await Deno.writeTextFile(`${directory}/hanging_test.ts`, source);
    assertEquals(await runTests([directory], [], "null"), { passed: 1, failed: 5, skipped: ["g"] });
  } finally {
    Deno.env.delete("TANDEM_TEST_TIMEOUT_MS");
    await Deno.remove(directory, { recursive: true });
  }
});
