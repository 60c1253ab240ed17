/**
 * The purity check: pure files are type-checked in a world that has only the language and `pure.d.ts`.
 *
 * Whatever else they name (`Deno`, `console`, `setTimeout`, `fetch`, `performance`, `process`) is then an unknown name.
 * Clocks and randomness of the language itself (`Date.now`, `Math.random`) are the lint plugin's to refuse.
 */
import { files, isPure, read, ROOT } from "./tree.ts";

/** Type-checks files (paths; by default all pure ones) as pure. `output` is the compiler's, in full. */
export async function checkPurity(
  paths: readonly string[] = files().filter(isPure).map((path) => `${ROOT}/${path}`),
): Promise<{ ok: boolean; output: string }> {
  if (paths.length === 0) return { ok: true, output: "" };
  const project = JSON.parse(read("deno.json"));
  const config = {
    nodeModulesDir: "none",
    imports: project.imports,
    compilerOptions: {
      ...project.compilerOptions,
      lib: ["esnext"],
      types: [`${ROOT}/tests/style/pure.d.ts`],
    },
  };
  const path = await Deno.makeTempFile({ prefix: "tandem-pure-", suffix: ".json" });
  try {
    await Deno.writeTextFile(path, JSON.stringify(config));
    const args = ["check", "--quiet", "--no-lock", "--config", path, ...paths];
    const result = await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).output();
    return { ok: result.success, output: new TextDecoder().decode(result.stderr) };
  } finally {
    await Deno.remove(path);
  }
}
