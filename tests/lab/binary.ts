/**
 * The compiled binary for lab tests, built once into the directory of the whole run, or once a test file into one that
 * goes with it.
 *
 * `deno compile` takes its base runtime from the network. A stand-in serves instead, which only an older Deno accepts:
 * what is tested is this program, compiled, on that runtime.
 */
import { ROOT } from "../style/tree.ts";
import { BASE_RUNTIME } from "./tools.ts";

/** The Deno whose `compile` takes the stand-in. */
const COMPILER = "deno@2.6.8";
/** A directory of the whole run, which the test command names. */
const SHARED = Deno.env.get("TANDEM_TEST_DIRECTORY");

let built: Promise<string> | null = null;

/** Where the binary is. A test that calls it needs "binary". */
export function binary(): Promise<string> {
  return built ??= build();
}

async function build(): Promise<string> {
  const output = `${SHARED ?? ownDirectory()}/tandem`;
  if (await Deno.stat(output).then(() => true, () => false)) return output;
  const runtime = Deno.env.get("DENORT_BIN") || (await must("bash", [BASE_RUNTIME])).trim();
  const args = ["run", "--quiet", "--no-prompt", "--allow-all", "packaging/compile.ts", "--output", output];
  await must("npx", ["--yes", COMPILER, ...args], { DENORT_BIN: runtime });
  return output;
}

function ownDirectory(): string {
  const directory = Deno.makeTempDirSync({ prefix: "tandem-binary-" });
  globalThis.addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));
  return directory;
}

async function must(command: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const options = { args, env, cwd: ROOT, stdin: "null" } as const;
  const { success, stdout, stderr } = await new Deno.Command(command, options).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`${command} ${args.join(" ")} failed: ${text(stderr)}${text(stdout)}`);
  return text(stdout);
}
