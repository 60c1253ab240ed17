/** `tandem check`: every problem of a configuration at once, or a summary of what it says. */
import { certificateFiles } from "../config/certificate_files_io.ts";
import { certificateReader } from "../config/certificates_io.ts";
import { listOverlays, loadConfig, type LoadResult } from "../config/load.ts";
import { formatProblem, type Problem } from "../config/problem.ts";
import type { Config } from "../config/schema.ts";
import { directoryOf } from "../config/file_paths.ts";
import { functionsOf } from "../config/functions.ts";
import { buildFunctions } from "../functions/build_io.ts";
import { kernelPlan } from "../kernel/plan.ts";
import { pathKind, readConfigFile } from "../config/store_io.ts";
import { readAccounts } from "../runtime/accounts_io.ts";
import { kernelProblems } from "../runtime/kernel_preflight_io.ts";
import { Spawner } from "../runtime/spawn_io.ts";
import { BAD, type Command, GOOD, writeErr, writeOut } from "./command.ts";
import { startBundler } from "./own_flags.ts";
import { complain } from "./refusal.ts";
import { SELECTION_HELP, SELECTION_OPTIONS, selectionOf } from "./selection.ts";

export const command: Command = {
  summary: "check a configuration and show every problem",
  usage: "[-c FILE]",
  options: { ...SELECTION_OPTIONS, json: { type: "boolean" } },
  help:
    `Exit code 0: the file can be run; 1: it cannot, and every problem is shown. Without a node every node that
the file has under "nodes" is checked. What this machine lacks for what the kernel is to forward is a warning: the
file may be for another.

${SELECTION_HELP}
      --json          problems and warnings as JSON

Example: tandem check -c tandem.yaml --node lb2`,
  run: async (invocation) => {
    const { file, node, nodeGiven, context } = selectionOf(invocation);
    const text = await readConfigFile(file).catch((error: Error) => {
      complain(error.message, invocation);
      return null;
    });
    if (text === null) return BAD;
    const overlays = nodeGiven ? [] : (await listOverlays(text, file)).nodes;
    const nodes = overlays.length === 0 ? [node] : overlays;
    const given = {
      file,
      context,
      env: (name: string) => Deno.env.get(name),
      accounts: readAccounts(),
      files: certificateFiles(file),
      pathKind,
      certificates: certificateReader(file, Date.now),
    };
    const results = await Promise.all(nodes.map((node) => loadConfig(text, { ...given, node })));
    const ofModules = await functionProblems(results, file, invocation.entry);
    const problems = once(results.flatMap((result) => "problems" in result ? result.problems : []))
      .concat(once(ofModules));
    const warnings = once(results.flatMap((result) => result.warnings));
    if (invocation.values.json === true) {
      writeOut(
        JSON.stringify({ good: problems.length === 0, problems, warnings }, null, 2) + "\n",
      );
      return problems.length === 0 ? GOOD : BAD;
    }
    for (const warning of warnings) writeErr(formatProblem(warning, "warning") + "\n");
    for (const lack of await lacksOf(results, nodes)) writeErr(`warning: on this machine: ${lack}\n`);
    for (const problem of problems) writeErr(formatProblem(problem) + "\n");
    if (problems.length > 0) {
      writeErr(`${file}: ${problems.length} ${problems.length === 1 ? "problem" : "problems"}\n`);
      return BAD;
    }
    writeOut(nodes.map((node, at) => summary(file, node, results[at]!)).join(""));
    return GOOD;
  },
};

/** What several nodes have in common is told once. */
function once(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [formatProblem(problem), problem])).values()]
    .sort((a, b) => a.line - b.line || a.column - b.column);
}

/** What is wrong with the modules of functions, of nodes whose files are good. */
async function functionProblems(
  results: readonly LoadResult[],
  file: string,
  entry: URL,
): Promise<readonly Problem[]> {
  const functions = results.flatMap((result) => "config" in result ? functionsOf(result.config) : []);
  const built = await buildFunctions(functions, directoryOf(file), startBundler(entry));
  return "problems" in built ? built.problems : [];
}

/** What this machine lacks for nodes whose files are good. */
async function lacksOf(
  results: readonly LoadResult[],
  nodes: readonly string[],
): Promise<ReadonlySet<string>> {
  const plans = results.flatMap((result, at) =>
    "config" in result ? [kernelPlan(result.config, nodes[at]!)] : []
  );
  const spawn = new Spawner().spawn;
  const lacks = await Promise.all(plans.map((plan) => kernelProblems(plan, spawn)));
  return new Set(lacks.flat());
}

function summary(file: string, node: string, result: LoadResult): string {
  return "config" in result ? describe(file, node, result.config) : "";
}

function describe(file: string, node: string, { listeners, pools }: Config): string {
  const servers = Object.values(pools).reduce((sum, pool) => sum + pool.servers.length, 0);
  const count = (number: number, word: string) => `${number} ${word}${number === 1 ? "" : "s"}`;
  return `${file}: good for node ${node}: ${count(listeners.length, "listener")}, ` +
    `${count(Object.keys(pools).length, "pool")}, ${count(servers, "server")}\n`;
}
