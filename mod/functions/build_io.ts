/**
 * Bundles the functions of a configuration, in a process of its own: the compiler takes a second of processor time and
 * 200 MB of memory, and reads files that others have written.
 */
import type { FunctionConfig } from "../config/function_schema.ts";
import { pathFrom } from "../config/file_paths.ts";
import type { Problem } from "../config/problem.ts";
import { type BuiltFunction, BUNDLE_ANSWER, type Bundled, type FilesRead, wholeProblem } from "./bundled.ts";

/** Sixty-four modules on a slow machine. */
const BUNDLE_MS = 60_000;

/** Starts a process that bundles, with pipes for input and output. */
export type StartBundler = () => Deno.ChildProcess;

export type Built =
  | { readonly functions: readonly BuiltFunction[] }
  /** Files that were read, of which one may be the reason. */
  | { readonly problems: readonly Problem[]; readonly files: FilesRead };

/** Each function with its code, or everything that is wrong with any. `directory`: where relative paths start. */
export async function buildFunctions(
  functions: readonly FunctionConfig[],
  directory: string,
  start: StartBundler,
): Promise<Built> {
  if (functions.length === 0) return { functions: [] };
  const paths = functions.map(({ module }) => pathFrom(directory, module));
  const modules = [...new Set(paths)];
  const answers = await bundleApart(modules, start);
  const results = new Map(modules.map((module, at) => [module, answers[at]!]));
  const problems = answers.flatMap((one) => "problems" in one ? one.problems : []);
  if (problems.length > 0) return { problems, files: answers.flatMap(({ files }) => files) };
  return {
    functions: functions.map((settings, at) => {
      const { code, files } = results.get(paths[at]!) as Extract<Bundled, { code: string }>;
      return { settings, code, files };
    }),
  };
}

async function bundleApart(modules: readonly string[], start: StartBundler): Promise<readonly Bundled[]> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const child = start();
    timer = setTimeout(() => child.kill("SIGKILL"), BUNDLE_MS);
    const asked = new Blob([JSON.stringify({ modules })]).stream().pipeTo(child.stdin);
    const [{ stdout, stderr, success }] = await Promise.all([child.output(), asked]);
    const text = new TextDecoder();
    if (success) return BUNDLE_ANSWER.parse(JSON.parse(text.decode(stdout)));
    throw new Error(text.decode(stderr).trim().split("\n", 1)[0] || `it did not end within ${BUNDLE_MS} ms`);
  } catch (error) {
    return modules.map((module) => ({
      problems: [wholeProblem(module, `cannot be bundled: ${(error as Error).message}`)],
      files: [],
    }));
  } finally {
    clearTimeout(timer);
  }
}
