import { assertEquals } from "../assert.ts";
import { errors, good, SMALLEST, warnings } from "./reading.ts";

const LISTENER =
  'listeners: [{ name: web, bind: ":80", routes: [{ match: { path: /a }, pool: a }, { pool: b }] }]';
const file = (a: string, b: string, checks: string, more = "") =>
  `${LISTENER}
checks: ${checks}
pools:
  a: { servers: ["10.0.0.1:80"], check: ${a} }
  b: { servers: ["10.0.0.2:80"], check: ${b} }
${more}`;

Deno.test("placeSharedChecks() pools call a check by name", async () => {
  const { pools } = await good(file("web", "web", "{ web: { path: /up } }"));
  assertEquals(pools.a?.check?.settings["path"], "/up");
  assertEquals(pools.b?.check, pools.a?.check);
});

Deno.test("placeSharedChecks() overlays change what is called", async () => {
  const text = file(
    "web",
    "{}",
    "{ web: { path: /up } }",
    "nodes: { lb1: { checks: { web: { path: /down } } } }",
  );
  assertEquals((await good(text, { node: "lb1" })).pools.a?.check?.settings["path"], "/down");
});

Deno.test("placeSharedChecks() a name that is none, and a check that nobody calls", async () => {
  assertEquals(await errors(file("wab", "web", "{ web: {} }")), [
    '4:41 «wab» pools.a.check: names no check: "wab"; did you mean "web"?',
  ]);
  assertEquals(await errors(file("x", "zz", "{ web: {} }")), [
    '4:41 «x» pools.a.check: names no check: "x" (known: web)',
    '5:41 «zz» pools.b.check: names no check: "zz" (known: web)',
  ]);
  assertEquals(await errors(SMALLEST.replace("servers:", "check: web, servers:")), [
    '2:24 «web» pools.app.check: names no check: "web" (there are none under checks)',
  ]);
  assertEquals(await warnings(file("web", "{}", "{ web: {}, old: {} }")), [
    "2:20 «old» checks.old: is used by no pool",
  ]);
});

Deno.test("placeSharedChecks() what is wrong with a check is told once, where it stands", async () => {
  assertEquals(await errors(file("web", "web", "{ web: { path: x } }")), [
    '2:24 «x» checks.web.path: must start with "/" and be ASCII without spaces, not "x"',
  ]);
  assertEquals(await errors(file("web", "web", "{ web: { type: dns } }")), [
    "2:11 «web» checks.web.name: is required by type dns",
  ]);
  assertEquals(await warnings(file("web", "web", "{ web: { type: mysql, path: /x } }")), [
    "2:31 «path» checks.web.path: has no effect in a check of type mysql",
  ]);
  assertEquals(await errors(file("5", "[a]", "{ web: {} }")), [
    "4:41 «5» pools.a.check: must be a map or text (in quotes if it looks like something else), not 5",
    "5:41 «[a]» pools.b.check: must be a map or text (in quotes if it looks like something else), not a list",
  ]);
});
