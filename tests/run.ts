/**
 * The test command: the gate's steps, then all tests, then one line that counts them.
 *
 * Every step runs even when an earlier one failed, so that one run tells everything. Each step of the gate counts as
 * one test; the tests are counted from the JUnit report. `--quick` leaves out what needs programs, time or a network.
 */
import { installTools } from "./lab/tools.ts";
import { checkPurity } from "./style/purity.ts";
import { files, isPure, read, ROOT } from "./style/tree.ts";

/** Directories of tests that are not part of `deno task ok`. */
const SLOW_DIRECTORIES = ["lab", "scenarios", "conformance", "fuzz", "integration", "browser"];
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

type Show = "inherit" | "null";

async function deno(args: string[], show: Show = "inherit", signal?: AbortSignal): Promise<boolean> {
  const options = { args, cwd: ROOT, stdin: "null", stdout: show, stderr: show } as const;
  const child = new Deno.Command(Deno.execPath(), signal === undefined ? options : { ...options, signal })
    .spawn();
  return (await child.status).success;
}

/** The linter with a plugin has been seen to crash, rarely, without having looked: then it looks again. */
async function lint(): Promise<boolean> {
  const shown = { cwd: ROOT, stdin: "null", stdout: "inherit", stderr: "inherit" } as const;
  const once = () =>
    new Deno.Command(Deno.execPath(), { args: ["lint", "--quiet"], ...shown }).spawn().status;
  const first = await once();
  if (first.signal !== "SIGSEGV") return first.success;
  console.log("the linter crashed (SIGSEGV); once more");
  return (await once()).success;
}

function gate(): [name: string, run: () => Promise<boolean>][] {
  // Only pure files and pages: evaluating an example evaluates the whole file it stands in.
  const documented = files().filter((path) => isPure(path) || /^(docs\/.*|README)\.md$/.test(path))
    .filter((path) => read(path).includes("```ts"));
  return [
    ["formatting", () => deno(["fmt", "--check"])],
    ["lint", lint],
    ["types", () => deno(["check", "--quiet", "--frozen"])],
    ["purity", async () => {
      const { ok, output } = await checkPurity();
      if (!ok) console.log(output);
      return ok;
    }],
    [
      "documentation examples",
      () =>
        documented.length === 0 ? Promise.resolve(true) : deno(["test", "--doc", "--quiet", ...documented]),
    ],
  ];
}

/** Runs the tests below `path`; `extra` goes to `deno test` as it is. What they print is shown in full, or not at all. */
export async function runTests(
  path: string,
  extra: readonly string[] = [],
  show: Show = "inherit",
): Promise<Count> {
  const directory = await Deno.makeTempDir({ prefix: "tandem-test-" });
  const report = `${directory}/junit.xml`;
  const preload = `--preload=${ROOT}/tests/deadline.ts`;
  const args = ["test", "--no-check", "--allow-all", "--trace-leaks", preload, `--junit-path=${report}`];
  try {
    const ok = await deno([...args, ...extra, path], show, AbortSignal.timeout(TESTS_LIMIT_MS));
    const text = await Deno.readTextFile(report).catch(() => "");
    const count = countJUnit(text);
    // A file that does not load, or a run that was cut short, is not in the report.
    if (!ok && count.failed === 0) count.failed = 1;
    return count;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function main(quick: boolean): Promise<number> {
  const total: Count = { passed: 0, failed: 0, skipped: [] };
  const failedSteps: string[] = [];
  if (!quick) await installTools();
  for (const [name, run] of gate()) {
    const ok = await run();
    console.log(`${name} ... ${ok ? "ok" : "FAILED"}`);
    if (ok) total.passed++;
    else failedSteps.push(name);
  }
  const slow = `--ignore=${SLOW_DIRECTORIES.map((name) => `tests/${name}`).join(",")}`;
  const tests = await runTests("tests", quick ? [slow] : []);
  for (const name of tests.skipped) console.log(`skipped: ${name}`);
  if (failedSteps.length > 0) console.log(`failed steps: ${failedSteps.join(", ")}`);
  const failed = failedSteps.length + tests.failed;
  console.log(`${total.passed + tests.passed} passed, ${failed} failed, ${tests.skipped.length} skipped`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args.includes("--quick")));
