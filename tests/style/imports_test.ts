/** Imports point downward only, so that a lower layer can be read, tested and replaced without the upper ones. */
import { assert, assertEquals } from "../assert.ts";
import { files, isPure, read } from "./tree.ts";

/** The layers from bottom to top. What stands on one line may import each other, never a line below it here. */
const LAYERS: readonly (readonly string[])[] = [
  ["mod/base"],
  ["mod/http"],
  ["mod/http1", "mod/http2"],
  [
    "mod/balance",
    "mod/health",
    "mod/discovery",
    "mod/route",
    "mod/guard",
    "mod/kernel",
    "mod/config",
    "mod/import",
    "mod/files",
    "mod/compress",
    "mod/cache",
    "mod/acme",
    "vrrp",
  ],
  ["mod/net", "mod/functions", "mod/proxy", "mod/observe"],
  ["mod/runtime"],
  ["routes"],
  ["mod/cli"],
  ["main.ts"],
];
/** Where a thread or a process begins: what composes a program may name all its parts. */
const ENTRIES = new Set(["main.ts", "mod/runtime/worker_io.ts", "mod/runtime/balancer_io.ts"]);
/** Contracts between layers: pure types that both sides of a seam import. */
const CONTRACTS = new Set(["mod/config/snapshot.ts", "mod/net/stream.ts", "mod/net/buffers.ts"]);

/** Position of a file's layer; edges (`_io.ts`) of the middle layers stand with `mod/net`. -1: in no layer. */
function layer(path: string): number {
  const at = LAYERS.findIndex((names) => names.some((name) => path === name || path.startsWith(`${name}/`)));
  const edges = LAYERS.findIndex((names) => names.includes("mod/net"));
  return path.endsWith("_io.ts") ? Math.max(at, edges) : at;
}

/** What is wrong with `from` importing `to`; null when nothing is. */
function problem(from: string, to: string): string | null {
  if (ENTRIES.has(from)) return null;
  if (isPure(from) && to.endsWith("_io.ts")) return `${from} is pure and imports the edge ${to}`;
  if (from.startsWith("vrrp/") && !to.startsWith("vrrp/") && !to.startsWith("mod/base/")) {
    return `${from} imports ${to}: vrrp/ may import mod/base/ only`;
  }
  if (CONTRACTS.has(to)) return null;
  return layer(to) > layer(from) ? `${from} imports ${to}, which is a higher layer` : null;
}

/** The relative imports of a file, resolved to paths from the root. */
function imports(path: string): string[] {
  const source = read(path).replace(/^\s*(\/\/|\*).*$/gm, "");
  return [...source.matchAll(/(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g)]
    .map((found) => new URL(found[1] ?? "", `file:///${path}`).pathname.slice(1));
}

const sources = files().filter((path) => /^(mod|vrrp|routes)\/.*\.ts$|^main\.ts$/.test(path));

Deno.test("imports() every source file stands in a layer", () => {
  assertEquals(sources.filter((path) => layer(path) === -1), []);
});

Deno.test("imports() every import points downward", () => {
  const problems = sources.flatMap((from) => imports(from).map((to) => problem(from, to)));
  assertEquals(problems.filter((found) => found !== null), []);
});

/** What of another file, and the file. */
const IMPORT = /^(?:import|export)\s+(?:([\w\s{},*]+?)\s+from\s+)?"([^"]+)"/gm;

/** Packages and files that are loaded with a file: what is imported for its types alone is not. */
function loadedWith(path: string, loaded = new Set<string>()): Set<string> {
  const source = read(path).replace(/^\s*(\/\/|\*).*$/gm, "");
  for (const [, what = "", from = ""] of source.matchAll(IMPORT)) {
    const isType = /^type\b/.test(what) || /^\{(\s*type\s[^,}]+,?)+\s*\}$/.test(what);
    const isOurs = from.startsWith(".");
    const name = isOurs ? new URL(from, `file:///${path}`).pathname.slice(1) : from;
    if (isType || loaded.has(name)) continue;
    loaded.add(name);
    if (isOurs) loadedWith(name, loaded);
  }
  return loaded;
}

Deno.test("imports() no data worker loads the schema of configurations, so that one is there sooner", () => {
  const loaded = loadedWith("mod/runtime/worker_io.ts");
  assert(loaded.has("mod/http1/head.ts"), "its own parts are found");
  assertEquals([...loaded].filter((name) => name === "zod" || name.endsWith("_schema.ts")), []);
  assert(loadedWith("mod/config/load.ts").has("zod"), "whoever reads a configuration has it");
});

Deno.test("imports() nothing imports tests or benchmarks", () => {
  const wrong = sources.flatMap((from) => imports(from).filter((to) => /^(tests|bench)\//.test(to)));
  assertEquals(wrong, []);
});

Deno.test("problem() is found where a layer reaches up, and only there", () => {
  assertEquals(problem("mod/proxy/http.ts", "mod/http1/head.ts"), null);
  assertEquals(problem("mod/health/probe_io.ts", "mod/net/dial_io.ts"), null);
  assertEquals(problem("mod/route/match.ts", "mod/config/snapshot.ts"), null);
  assertEquals(problem("main.ts", "routes/app.ts"), null);
  for (
    const [from, to] of [
      ["mod/base/clock.ts", "mod/http/message.ts"],
      ["mod/http1/head.ts", "mod/proxy/http.ts"],
      ["mod/net/wheel.ts", "mod/net/deno_io.ts"],
      ["vrrp/machine.ts", "mod/http/message.ts"],
      ["mod/runtime/keeper_io.ts", "routes/app.ts"],
    ] as const
  ) {
    assertEquals(typeof problem(from, to), "string", `${from} -> ${to}`);
  }
});
