/** Bundling with the real compiler, in the process that the program starts for it. */
import { fileStamp } from "../../mod/base/file_stamp_io.ts";
import { startBundler } from "../../mod/cli/own_flags.ts";
import { problemLine } from "../../mod/config/problem.ts";
import { FunctionSchema } from "../../mod/config/function_schema.ts";
import { buildFunctions } from "../../mod/functions/build_io.ts";
import { assertEquals, assertStringIncludes } from "../assert.ts";

const MAIN = new URL("../../main.ts", import.meta.url);

async function withFiles(
  files: Record<string, string>,
  use: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "tandem-bundle-" });
  try {
    for (const [path, text] of Object.entries(files)) {
      const file = `${directory}/${path}`;
      await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(file, text);
    }
    await use(await Deno.realPath(directory));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const build = (directory: string, ...modules: string[]) =>
  buildFunctions(modules.map((module) => FunctionSchema.parse(module)), directory, startBundler(MAIN));

Deno.test("buildFunctions() TypeScript, JSX, JSON, an import map and packages of both kinds become one text", async () => {
  const files = {
    "deno.json": `{
      // As Deno's own.
      "imports": { "esm": "npm:esm@1", "~/": "./src/" },
      "compilerOptions": { "jsxImportSource": "esm" },
    }`,
    "node_modules/esm/package.json":
      '{ "type": "module", "exports": { ".": "./m.js", "./jsx-runtime": "./jsx.js" } }',
    "node_modules/esm/m.js": 'import old from "old"; export const esm = "esm " + old();',
    "node_modules/esm/jsx.js": "export const jsx = (tag) => `<${tag}>`;",
    "node_modules/old/package.json": '{ "main": "lib/index" }',
    "node_modules/old/lib/index.js":
      'const E = require("events"); const { part } = require("./part"); module.exports = () => part + typeof new E().on;',
    "node_modules/old/lib/part.js": 'exports.part = "old ";',
    "src/data.json": '{ "n": 7 }',
    "src/note.txt": "a note",
    "edge.tsx": `import { esm } from "esm";
import data from "~/data.json" with { type: "json" };
import note from "./src/note.txt" with { type: "text" };
type Told = string;
export default { fetch(): Told { return [esm, data.n, note, <b />].join(", "); } };`,
  };
  await withFiles(files, async (directory) => {
    const built = await build(directory, "edge.tsx");
    if ("problems" in built) throw new Error(built.problems.map((one) => problemLine(one)).join("\n"));
    const { code, files, settings } = built.functions[0]!;
    const module = await import("data:text/javascript;charset=utf-8," + encodeURIComponent(code));
    assertEquals(module.default.fetch(), "esm old function, 7, a note, <b>");
    const own = ["deno.json", "edge.tsx", "src/data.json", "src/note.txt"].map((path) =>
      `${directory}/${path}`
    );
    assertEquals(
      files.map(([file]) => file).sort(),
      own,
      "packages change by being installed, which is not looked for",
    );
    assertEquals(settings.name, "edge");
  });
});

Deno.test("buildFunctions() every problem of every module, with its place", async () => {
  const files = {
    "one.ts":
      'import { a } from "./none.ts";\nimport b from "npm:none@1/sub";\nexport default { fetch() { a(); b(); } };',
    "two.ts": "await import(globalThis.name);\nexport default {",
    "three.js": 'import "node:worker_threads";\nimport "https://x.test/y.js";',
  };
  await withFiles(files, async (directory) => {
    const built = await build(directory, "one.ts", "two.ts", "three.js");
    if (!("problems" in built)) throw new Error("they are good");
    const problems = built.problems.map((one) => problemLine(one));
    assertEquals(problems.map((one) => one.replaceAll(directory, "")), [
      '/one.ts:1:19: "./none.ts" is not there',
      '/one.ts:2:15: "npm:none@1/sub" needs the package none, which is in no node_modules here or above: install it',
      "/two.ts:2:17: Expected identifier but found end of file",
      '/three.js:1:8: "node:worker_threads" is not there for a function: node:worker_threads',
      '/three.js:2:8: "https://x.test/y.js" cannot be bundled, as nothing is fetched: a file, npm: and jsr: can',
    ]);
    const stamps = ["one.ts", "none.ts", "two.ts", "three.js"].map(async (path) =>
      [`${directory}/${path}`, await fileStamp(`${directory}/${path}`)] as const
    );
    assertEquals(new Map(built.files), new Map(await Promise.all(stamps)), "also what is missing");
  });
});

Deno.test("buildFunctions() a text that is not known before it runs cannot be imported", async () => {
  await withFiles(
    { "a.ts": "export default { fetch: (r: Request) => import(r.url) };" },
    async (directory) => {
      const built = await build(directory, "a.ts");
      assertStringIncludes(JSON.stringify(built), "not a string literal");
    },
  );
});
