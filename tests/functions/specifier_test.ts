import { meaningOf } from "../../mod/functions/specifier.ts";
import { assertEquals } from "../assert.ts";

Deno.test("meaningOf() files, packages and modules of the runtime, as Deno writes them", () => {
  const meanings: Record<string, string> = {
    "./a.ts": "file ./a.ts",
    "../a.ts": "file ../a.ts",
    "/srv/a.ts": "file /srv/a.ts",
    hono: "package hono",
    "@scope/name/sub.js": "package @scope/name/sub.js",
    "npm:hono": "package hono",
    "npm:hono@4": "package hono",
    "npm:/hono@4.1.0/cors": "package hono/cors",
    "npm:@hono/node-server@^1/serve": "package @hono/node-server/serve",
    "jsr:@std/path@1/posix": "package @jsr/std__path/posix",
    "jsr:/@std/path": "package @jsr/std__path",
    fs: "builtin node:fs",
    "node:fs/promises": "builtin node:fs/promises",
  };
  for (const [text, meaning] of Object.entries(meanings)) {
    assertEquals(Object.values(meaningOf(text, {})).join(" "), meaning, text);
  }
});

Deno.test("meaningOf() what runs other code, or would have to be fetched, is refused", () => {
  for (const text of ["node:worker_threads", "vm", "node:child_process", "inspector/promises", "module"]) {
    assertEquals(meaningOf(text, {}).kind, "refused", text);
  }
  for (const text of ["https://deno.land/x.ts", "data:text/javascript,1", "file:///etc/x.js"]) {
    assertEquals(meaningOf(text, {}).kind, "refused", text);
  }
});

Deno.test("meaningOf() imports of a deno.json come first, the longest prefix of several", () => {
  const imports = { hono: "npm:hono@4", "@/": "./src/", "@/lib/": "jsr:@a/lib@1/", old: "https://x.test/" };
  assertEquals(meaningOf("hono", imports), { kind: "package", name: "hono" });
  assertEquals(meaningOf("@/a.ts", imports), { kind: "file", path: "./src/a.ts" });
  assertEquals(meaningOf("@/lib/b.ts", imports), { kind: "package", name: "@jsr/a__lib/b.ts" });
  assertEquals(meaningOf("hono/cors", imports), { kind: "package", name: "hono/cors" });
  assertEquals(meaningOf("old", imports).kind, "refused");
  assertEquals(meaningOf("constructor", imports), { kind: "package", name: "constructor" });
});
