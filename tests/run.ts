/**
 * The test command: the gate's steps and all tests, then one line that counts them.
 *
 * Every step runs even when an earlier one failed, so that one run tells everything. Each step of the gate counts as
 * one test; the tests are counted from JUnit reports. `--quick` leaves out what needs programs, time or a network.
 *
 * Two lanes go beside each other, as tests that serve mostly wait and all the others mostly compute. After them the
 * tests of whole nodes have the machine to themselves: what runs beside them makes their timers late.
 */
import { installTools } from "./lab/tools.ts";
import { checkPurity } from "./style/purity.ts";
import { ROOT } from "./style/tree.ts";

/** Directories of tests that are not part of `deno task ok`, and run alone. */
const ALONE = ["lab", "scenarios", "conformance"];
/** Of the tests that compute these are not part of `deno task ok`. */
const LONG = ["fuzz"];
/** Directories of tests that start programs, listen and wait. What is in no list computes. */
const SERVING = ["cli", "discovery", "functions", "health", "net", "observe", "routes", "runtime"];
/** Each test has its own deadline (deadline.ts); this is for what hangs outside of one, also on a machine that is slow or busy. The whole run is to take less than 20 minutes. */
const TESTS_LIMIT_MS = 25 * 60_000;

interface Count {
  passed: number;
  failed: number;
  skipped: string[];
}

/** Reads the counts and the names of the skipped tests out of a JUnit report. */
export function countJUnit(report: string): Count {
  const count: Count = { passed: 0, failed: 0, skipped: [] };
  for (
    const [, name, body] of report.matchAll(/<testcase name="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g)
  ) {
    if (body?.includes("<skipped")) count.skipped.push(unescapeXml(name ?? ""));
    else if (body?.includes("<failure") || body?.includes("<error")) count.failed++;
    else count.passed++;
  }
  return count;
}

function unescapeXml(text: string): string {
  const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => entities[name] ?? "");
}

/** `atEnd`: in one piece, as another runs beside it. */
type Show = "inherit" | "null" | "atEnd";

async function deno(
  args: readonly string[],
  show: Show = "inherit",
  more: Pick<Deno.CommandOptions, "env" | "signal"> = {},
): Promise<{ success: boolean; signal: Deno.Signal | null }> {
  const at = { cwd: ROOT, stdin: "null", ...more } as const;
  if (show !== "atEnd") {
    return await new Deno.Command(Deno.execPath(), { ...at, args: [...args], stdout: show, stderr: show })
      .spawn().status;
  }
  const ended = await new Deno.Command(Deno.execPath(), { ...at, args: [...args] }).output();
  for (const text of [ended.stdout, ended.stderr]) await write(text);
  return ended;
}

async function write(text: Uint8Array): Promise<void> {
  for (let at = 0; at < text.length;) at += await Deno.stdout.write(text.subarray(at));
}

/** The linter with a plugin has been seen to crash, rarely, without having looked: then it looks again. */
async function lint(): Promise<boolean> {
  const first = await deno(["lint", "--quiet"], "atEnd");
  if (first.signal !== "SIGSEGV") return first.success;
  console.log("the linter crashed (SIGSEGV); once more");
  return await step("lint", "--quiet");
}

async function step(...args: readonly string[]): Promise<boolean> {
  return (await deno(args, "atEnd")).success;
}

function gate(): [name: string, run: () => Promise<boolean>][] {
  return [
    ["formatting", () => step("fmt", "--check")],
    ["lint", lint],
    ["types", () => step("check", "--quiet", "--frozen")],
    ["purity", async () => {
      const { ok, output } = await checkPurity();
      if (!ok) console.log(output);
      return ok;
    }],
  ];
}

/** Runs the tests below `paths`; `extra` goes to `deno test` as it is. What they print is shown in full, or not at all. */
export async function runTests(
  paths: readonly string[],
  extra: readonly string[] = [],
  show: Show = "inherit",
): Promise<Count> {
  const directory = await Deno.makeTempDir({ prefix: "tandem-test-" });
  const report = `${directory}/junit.xml`;
  const preload = `--preload=${ROOT}/tests/deadline.ts`;
  const args = ["test", "--no-check", "--allow-all", "--trace-leaks", preload, `--junit-path=${report}`];
  try {
    const { success } = await deno([...args, ...extra, ...paths], show, {
      signal: AbortSignal.timeout(TESTS_LIMIT_MS),
      // For what is made once for all files, as the compiled binary.
      env: { TANDEM_TEST_DIRECTORY: directory },
    });
    const text = await Deno.readTextFile(report).catch(() => "");
    const count = countJUnit(text);
    // A file that does not load, or a run that was cut short, is not in the report.
    if (!success && count.failed === 0) count.failed = 1;
    return count;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** The gate's steps, each as one test. */
async function runGate(): Promise<Count & { failedSteps: string[] }> {
  const failedSteps: string[] = [];
  let passed = 0;
  for (const [name, run] of gate()) {
    const ok = await run();
    console.log(`${name} ... ${ok ? "ok" : "FAILED"}`);
    if (ok) passed++;
    else failedSteps.push(name);
  }
  return { passed, failed: failedSteps.length, skipped: [], failedSteps };
}

async function main(quick: boolean): Promise<number> {
  const below = (names: readonly string[]) => names.map((name) => `tests/${name}`);
  const others = `--ignore=${below([...ALONE, ...SERVING, ...quick ? LONG : []]).join(",")}`;
  const installed = quick ? Promise.resolve() : installTools();
  const [serving, [steps, computing]] = await Promise.all([
    installed.then(() => runTests(below(SERVING))),
    runGate().then(async (steps) => {
      await installed;
      return [steps, await runTests(["tests"], [others], "atEnd")] as const;
    }),
  ]);
  const counts = [steps, serving, computing, ...quick ? [] : [await runTests(below(ALONE))]];
  const sum = (of: "passed" | "failed") => counts.reduce((total, count) => total + count[of], 0);
  const skipped = counts.flatMap((count) => count.skipped);
  for (const name of skipped) console.log(`skipped: ${name}`);
  if (steps.failed > 0) console.log(`failed steps: ${steps.failedSteps.join(", ")}`);
  console.log(`${sum("passed")} passed, ${sum("failed")} failed, ${skipped.length} skipped`);
  return sum("failed") === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args.includes("--quick")));
