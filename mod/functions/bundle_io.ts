/**
 * Makes one text of a function's module and all that it imports: TypeScript, JSX, packages of a `node_modules`.
 *
 * esbuild (as WebAssembly) reads and writes nothing itself: what a text of an import means is `specifier.ts`, where a
 * package's file is enhanced-resolve's to say, and what is read is read here. Nothing is fetched.
 */
import * as fs from "node:fs";
import { dirname, resolve as resolvePath } from "node:path";
import { fileURLToPath } from "node:url";
import resolver from "enhanced-resolve";
import * as esbuild from "esbuild-wasm/esm/browser.js";
import { fileStamp } from "../base/file_stamp_io.ts";
import { parseJson } from "../config/json_text.ts";
import { type Problem, problemAt } from "../config/problem.ts";
import { BUNDLE_REQUEST, type Bundled, MAX_BUNDLE_CHARS, wholeProblem } from "./bundled.ts";
import { type Meaning, meaningOf } from "./specifier.ts";

const MAX_PROBLEMS = 20;

/** As Deno's. */
const CONDITIONS = ["deno", "node"];
const EXTENSIONS = [".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs", ".cjs", ".json"];
const LOADERS: Readonly<Record<string, esbuild.Loader>> = {
  ts: "ts",
  mts: "ts",
  cts: "ts",
  tsx: "tsx",
  jsx: "jsx",
  json: "json",
};

/** Paths, and what each was when it was read. */
type Files = Map<string, string>;

const find = (condition: "import" | "require") =>
  resolver.ResolverFactory.createResolver({
    fileSystem: fs as never,
    useSyncFileSystemCalls: true,
    conditionNames: [...CONDITIONS, condition, "module", "default"],
    extensions: EXTENSIONS,
    mainFields: ["module", "main"],
  });

let started: Promise<void> | null = null;

async function start(): Promise<void> {
  const wasm = fileURLToPath(import.meta.resolve("esbuild-wasm/esbuild.wasm"));
  const wasmModule = await WebAssembly.compile(await Deno.readFile(wasm));
  await esbuild.initialize({ wasmModule, worker: false });
}

/** Bundles what standard input names and tells what became of it on standard output; ends by exiting. */
export async function serveBundles(): Promise<never> {
  for (const name of ["run", "write", "ffi", "net", "sys"] as const) await Deno.permissions.revoke({ name });
  const { modules } = BUNDLE_REQUEST.parse(await new Response(Deno.stdin.readable).json());
  const results: Bundled[] = [];
  for (const module of modules) results.push(await bundle(module));
  await new Blob([JSON.stringify(results)]).stream().pipeTo(Deno.stdout.writable);
  Deno.exit(0);
}

/** Bundles a module; `path` as it is seen from here. The engine stays, so that a process that bundles must be ended. */
export async function bundle(path: string): Promise<Bundled> {
  await (started ??= start());
  const entry = resolvePath(path);
  const files: Files = new Map();
  const read = () => [...files];
  const file = projectFile(dirname(entry));
  if (file !== null) files.set(file, await fileStamp(file));
  const project = file === null ? noProject(dirname(entry)) : readProject(file);
  if ("problems" in project) return { ...project, files: read() };
  try {
    const { outputFiles } = await esbuild.build({
      entryPoints: [entry],
      absWorkingDir: "/",
      bundle: true,
      write: false,
      format: "esm",
      target: "esnext",
      charset: "utf8",
      logLevel: "silent",
      // What is not known now could not be read then.
      logOverride: { "unsupported-dynamic-import": "error" },
      jsx: "automatic",
      tsconfigRaw: { compilerOptions: project.compilerOptions },
      plugins: [reading(project.imports, project.directory, files)],
    });
    const code = outputFiles[0]!.text;
    if (code.length <= MAX_BUNDLE_CHARS) return { code, files: read() };
    const message = `may have ${MAX_BUNDLE_CHARS} characters with all it imports, and has ${code.length}`;
    return { problems: [wholeProblem(path, message)], files: read() };
  } catch (error) {
    const { errors } = error as Partial<esbuild.BuildFailure>;
    const problems = errors?.slice(0, MAX_PROBLEMS).map((one) => problemOf(one, path)) ??
      [wholeProblem(path, (error as Error).message)];
    return { problems, files: read() };
  }
}

function problemOf({ location, text }: esbuild.Message, path: string): Problem {
  if (location === null) return wholeProblem(path, text);
  const { file, line, column, length, lineText } = location;
  const span = { start: column, end: column + Math.max(1, length) };
  return { ...problemAt(`/${file}`, lineText, span, [], text), line };
}

/** Says where every import leads, and reads it; notes the files that are the user's own. */
function reading(
  imports: Readonly<Record<string, string>>,
  root: string,
  files: Files,
): esbuild.Plugin {
  const resolvers = { import: find("import"), require: find("require") };
  return {
    name: "tandem",
    setup(build) {
      build.onResolve({ filter: /.*/ }, ({ path, kind, importer, resolveDir }) => {
        if (kind === "entry-point") return { path };
        const required = kind === "require-call" || kind === "require-resolve";
        // A package has its own idea of what its imports mean.
        const foreign = importer.includes("/node_modules/");
        const meaning = path.startsWith("#") ? { kind: "package", name: path } as const : meaningOf(
          path,
          foreign ? {} : imports,
        );
        const from = !foreign && isMapped(path, imports) ? root : resolveDir;
        const place = placeOf(meaning, path, from, required, resolvers[required ? "require" : "import"]);
        if (place.errors !== undefined && meaning.kind === "file") {
          files.set(resolvePath(from, meaning.path), "");
        }
        return place;
      });
      build.onLoad({ filter: /.*/, namespace: "required" }, ({ path }) => ({
        contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
      }));
      build.onLoad({ filter: /.*/, namespace: "file" }, async ({ path, with: how }) => {
        // Before it is read, so that what changes meanwhile is a change.
        if (!path.includes("/node_modules/")) files.set(path, await fileStamp(path));
        const loader = loaderOf(path, how["type"]);
        return { contents: await Deno.readFile(path), loader, resolveDir: dirname(path) };
      });
    },
  };
}

function isMapped(path: string, imports: Readonly<Record<string, string>>): boolean {
  return Object.keys(imports).some((key) => path === key || key.endsWith("/") && path.startsWith(key));
}

function placeOf(
  meaning: Meaning,
  written: string,
  from: string,
  required: boolean,
  paths: ReturnType<typeof find>,
): esbuild.OnResolveResult {
  switch (meaning.kind) {
    case "builtin":
      return required
        ? { path: meaning.name, namespace: "required" }
        : { path: meaning.name, external: true };
    case "refused":
      return { errors: [{ text: `"${written}" ${meaning.reason}` }] };
  }
  const wanted = meaning.kind === "file" ? meaning.path : meaning.name;
  try {
    const path = paths.resolveSync({}, from, wanted);
    // A package can say that it wants nothing in the place of a file.
    return path === false ? { path: wanted, namespace: "required" } : { path };
  } catch {
    const text = meaning.kind === "file"
      ? `"${written}" is not there`
      : `"${written}" needs the package ${
        packageOf(meaning.name)
      }, which is in no node_modules here or above: install it`;
    return { errors: [{ text }] };
  }
}

function packageOf(name: string): string {
  return /^(@[^/]+\/)?[^/]*/.exec(name)![0];
}

function loaderOf(path: string, type: string | undefined): esbuild.Loader {
  if (type === "text") return "text";
  if (type === "bytes") return "binary";
  return LOADERS[path.slice(path.lastIndexOf(".") + 1)] ?? "js";
}

interface Project {
  readonly directory: string;
  readonly imports: Readonly<Record<string, string>>;
  readonly compilerOptions: Record<string, string>;
}

/** The nearest `deno.json`, or `deno.jsonc`; null: there is none. */
function projectFile(from: string): string | null {
  for (let directory = from;; directory = dirname(directory)) {
    const file = ["deno.json", "deno.jsonc"].map((name) => resolvePath(directory, name)).find(fs.existsSync);
    if (file !== undefined) return file;
    if (directory === dirname(directory)) return null;
  }
}

function noProject(directory: string): Project {
  return { directory, imports: {}, compilerOptions: {} };
}

/** What it says of imports. */
function readProject(file: string): Project | { readonly problems: readonly Problem[] } {
  const text = fs.readFileSync(file, "utf8");
  const json = parseJson(text);
  if ("faults" in json) {
    const { offset, length, message } = json.faults[0]!;
    return { problems: [problemAt(file, text, { start: offset, end: offset + length }, [], message)] };
  }
  const { imports, compilerOptions } = (json.value ?? {}) as { imports?: unknown; compilerOptions?: unknown };
  return { directory: dirname(file), imports: textsOf(imports), compilerOptions: textsOf(compilerOptions) };
}

/** The entries of an object that are texts. */
function textsOf(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter(([, text]) => typeof text === "string"));
}
