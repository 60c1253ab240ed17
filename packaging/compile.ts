/**
 * `deno task compile`: the one binary, `dist/tandem`.
 *
 * A compiled program has one set of permissions, which both of its processes start with: the balancer gives up `run`
 * and `write` first of all. `--allow-run` has no list, as a list refuses the binary's own path; `spawn_io.ts`
 * holds the list. Threads are no imports of the program, so they are named.
 */
import { reasonOf } from "../mod/base/reason.ts";
import { parseArgs } from "node:util";
import settings from "../deno.json" with { type: "json" };
import { COMPILE_SOONER } from "../mod/cli/own_flags.ts";
import { stampOf } from "../mod/cli/version.ts";
import { HEADER_BYTES, targetOf, TARGETS, whatIsMissing } from "./base_runtime.ts";
import { commitOf, ROOT, run } from "./process_io.ts";
import { buildVersion } from "./stamp.ts";

const PERMISSIONS = ["net", "read", "write", "env", "sys", "run", "ffi"].map((name) => `--allow-${name}`);
const INCLUDED = [
  "mod/runtime/worker_io.ts",
  "mod/guard/password_worker_io.ts",
  "mod/functions/worker_io.ts",
];
/** Newer versions of Deno can leave out the packages that only tests import (4 MB). */
const LEAN = "--exclude-unused-npm";

/** Compiles to `output`, and gives the version that the binary is stamped with. Throws with what is missing. */
export async function compile(target: string, output: string): Promise<string> {
  const version = buildVersion(settings.version, await commitOf(settings.version));
  const lean = (await run(Deno.execPath(), ["compile", "--help"])).out.includes(LEAN) ? [LEAN] : [];
  const { code, out, err } = await run(Deno.execPath(), [
    ...["compile", "--quiet", "--no-check", "--no-prompt", "--frozen", COMPILE_SOONER],
    ...[...lean, ...PERMISSIONS],
    ...INCLUDED.flatMap((path) => ["--include", path]),
    ...["--target", target, "--output", output, "main.ts", stampOf(version)],
  ]);
  if (code !== 0) throw new Error(problemOf(err + out, target));
  await checkMachine(output, target);
  return version;
}

function problemOf(said: string, target: string): string {
  const missing = whatIsMissing(said, target, Deno.version.deno);
  return `Cannot compile: ${said.trim()}${missing === null ? "" : `\n\n${missing}`}`;
}

/** DENORT_BIN may name a runtime of another machine, which compiles just as well. */
async function checkMachine(output: string, target: string): Promise<void> {
  using file = await Deno.open(output);
  const header = new Uint8Array(HEADER_BYTES);
  await file.read(header);
  const is = targetOf(header);
  if (is === target) return;
  await Deno.remove(output);
  throw new Error(
    `Cannot compile for ${target} as the base runtime that DENORT_BIN names is for ${
      is ?? "another machine"
    }`,
  );
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { target: { type: "string" }, output: { type: "string" } } });
  const target = values.target ?? Deno.build.target;
  if (!(TARGETS as readonly string[]).includes(target)) {
    console.error(`Cannot compile for ${target}: it must be ${TARGETS.join(" or ")}`);
    return 2;
  }
  const name = target === Deno.build.target ? "tandem" : `tandem-${target.split("-")[0]}`;
  const output = values.output ?? `${ROOT}/dist/${name}`;
  try {
    const version = await compile(target, output);
    const { size } = await Deno.stat(output);
    console.log(`${output}: tandem ${version} for ${target}, ${Math.round(size / 1e6)} MB`);
    return 0;
  } catch (error) {
    console.error(reasonOf(error));
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main());
