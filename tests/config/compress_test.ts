import { buildSnapshot } from "../../mod/config/build.ts";
import { RowAllocator } from "../../mod/config/rows.ts";
import type { CompressSnapshot } from "../../mod/config/snapshot.ts";
import { assert, assertEquals } from "../assert.ts";
import { errors, good, listenerWith, warnings } from "./reading.ts";

const TYPE = "must be a media type without parameters, such as application/json or text/*";

/** What each route of a listener comes to. */
async function compressions(...lines: string[]): Promise<(CompressSnapshot | undefined)[]> {
  const snapshot = buildSnapshot(await good(listenerWith(...lines)), {
    generation: 1,
    node: "n1",
    directory: ".",
    rows: new RowAllocator({ listeners: 2, pools: 2, servers: 2 }),
    resolve: () => [{ host: "10.0.0.1", port: 80 }],
  });
  return snapshot.listeners[0]!.routes.map(({ compress }) => compress);
}

Deno.test("compress: a route's setting replaces the listener's, wherever there is a body", async () => {
  assertEquals(await compressions("pool: app"), [undefined]);
  const [one] = await compressions("pool: app", "compress: true");
  assertEquals([one?.encodings, one?.minSize, one?.levels], [
    ["zstd", "br", "gzip"],
    1024,
    { gzip: 4, br: 4, zstd: 3 },
  ]);
  assert(one!.types.includes("text/html") && !one!.types.includes("text/event-stream"));
  const routes = [
    "compress: { encodings: gzip, minSize: 2k }",
    "routes:",
    '  - { match: { path: "/a" }, pool: app, compress: false }',
    '  - { match: { path: "/b" }, pool: app, compress: { types: ["Text/*"], levels: { br: 6 } } }',
    '  - { match: { path: "/c" }, redirect: { to: "http://b.test/" } }',
    '  - { match: { path: "/d/*" }, files: { root: /srv/www } }',
    '  - { match: { path: "/e" }, respond: { body: e } }',
    "  - pool: app",
  ];
  const [a, b, c, d, e, rest] = await compressions(...routes);
  assertEquals([a, c], [undefined, undefined]);
  assertEquals([b!.types, b!.minSize, b!.levels], [["text/*"], 1024, { gzip: 4, br: 6, zstd: 3 }]);
  for (const one of [d, e, rest]) assertEquals([one!.encodings, one!.minSize], [["gzip"], 2048]);
  assertEquals(await compressions("compress: false", "pool: app"), [undefined]);
});

Deno.test("compress: says what is wrong, and where", async () => {
  assertEquals(
    await errors(listenerWith(
      "pool: app",
      "compress:",
      "  encodings: [gzip, deflate]",
      '  types: ["text/*", html, "*/*", "text/html; charset=utf-8"]',
      "  minSize: 0",
      "  levels: { gzip: 10, br: 11, zstd: 0 }",
      "  level: 3",
    )),
    [
      '6:25 «deflate» listeners[0].compress.encodings[1]: must be one of zstd, br, gzip, not "deflate"',
      `7:25 «html» listeners[0].compress.types[1]: ${TYPE}`,
      `7:31 «"*/*"» listeners[0].compress.types[2]: ${TYPE}`,
      `7:38 «"text/html; charset=utf-8"» listeners[0].compress.types[3]: ${TYPE}`,
      "8:16 «0» listeners[0].compress.minSize: must be at least 1",
      "9:23 «10» listeners[0].compress.levels.gzip: must be a whole number from 1 to 9, not 10",
      "9:31 «11» listeners[0].compress.levels.br: must be a whole number from 0 to 6, not 11",
      "9:41 «0» listeners[0].compress.levels.zstd: must be a whole number from 1 to 6, not 0",
      '10:7 «level» listeners[0].compress.level: is not a known key; did you mean "levels"?',
    ],
  );
});

Deno.test("compress: warns where it has no effect", async () => {
  assertEquals(await warnings(listenerWith("protocol: tcp", "pool: app", "compress: true")), [
    "6:5 «compress» listeners[0].compress: has no effect on a tcp listener",
  ]);
  assertEquals(
    await warnings(listenerWith(
      "routes:",
      '  - { match: { path: "/c" }, redirect: { to: "http://b.test/" }, compress: true }',
      "  - pool: app",
    )),
    ["5:70 «compress» listeners[0].routes[0].compress: has no effect: a redirect has no body"],
  );
  assertEquals(await warnings(listenerWith("pool: app", "compress: true")), []);
});
