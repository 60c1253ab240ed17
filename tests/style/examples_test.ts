/** Every whole configuration that a page shows or `examples/` holds is one that Tandem accepts. */
import { assert, assertEquals } from "../assert.ts";
import { loadConfig } from "../../mod/config/load.ts";
import { files, read } from "./tree.ts";

/** What an example may read from the environment, whatever the name. */
const environment = () => "an example of a secret";

/** Name and text of every whole configuration; a block without listeners is a fragment. */
function configurations(): [name: string, text: string][] {
  const pages = files().filter((path) => path.endsWith(".md")).flatMap((path) =>
    [...read(path).matchAll(/^```yaml\n([\s\S]*?)^```$/gm)]
      .map((block): [string, string] => [`${path} at ${block.index}`, block[1] ?? ""])
  );
  const examples = files().filter((path) => /^examples\/.*\.ya?ml$/.test(path));
  return [...pages, ...examples.map((path): [string, string] => [path, read(path)])]
    .filter(([, text]) => /^listeners:/m.test(text));
}

Deno.test("examples() every configuration shown is accepted", async () => {
  const shown = configurations();
  assert(shown.some(([name]) => name.startsWith("README.md")));
  for (const [name, text] of shown) {
    const result = await loadConfig(text, {
      file: "tandem.yaml",
      node: null,
      context: null,
      env: environment,
    });
    assertEquals("problems" in result ? result.problems : [], [], name);
  }
});
