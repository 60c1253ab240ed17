import { ConfigSchema } from "../../mod/config/schema.ts";
import { assertEquals, assertStringIncludes } from "../assert.ts";
import { LISTENER, POOL, SMALLEST } from "../config/reading.ts";
import { tandem, withDirectory } from "./tandem.ts";

Deno.test("check() reads the deno.json of a project that has our key, and tandem.yaml before it", async () => {
  await withDirectory(async (cwd) => {
    const web = { name: "web", bind: ":80", pool: "app" };
    const pools = { app: { servers: ["10.0.0.1:80"] } };
    const write = (value: unknown) => Deno.writeTextFile(`${cwd}/deno.json`, JSON.stringify(value));
    await write({ imports: {} });
    assertStringIncludes((await tandem(["check", "--node", "n1"], { cwd })).err, "Cannot read tandem.yaml");
    const contexts = { development: { listeners: { web: { bind: "${BIND}" } } } };
    await write({ tandem: { listeners: [web], pools, contexts } });
    assertEquals(
      (await tandem(["check", "--node", "n1"], { cwd })).out,
      "deno.json: good for node n1: 1 listener, 1 pool, 1 server\n",
    );
    const without = await tandem(["check", "--node", "n1", "--context", "development"], { cwd });
    assertStringIncludes(without.err, "needs the environment variable BIND");
    const surroundings = { cwd, env: { BIND: ":81", TANDEM_CONTEXT: "development" } };
    assertEquals((await tandem(["check", "--node", "n1"], surroundings)).code, 0);
    await Deno.writeTextFile(`${cwd}/tandem.yaml`, SMALLEST);
    assertStringIncludes((await tandem(["check", "--node", "n1"], { cwd })).out, "tandem.yaml: good");
  });
});

Deno.test("check() says what a good file holds, reads tandem.yaml by itself, and exits with 0", async () => {
  await withDirectory(async (cwd) => {
    await Deno.writeTextFile(`${cwd}/tandem.yaml`, SMALLEST);
    const said = "tandem.yaml: good for node n1: 1 listener, 1 pool, 1 server\n";
    assertEquals(await tandem(["check", "--node", "n1"], { cwd }), { code: 0, out: said, err: "" });
    assertEquals(await tandem(["check"], { cwd, env: { TANDEM_NODE: "n1" } }), {
      code: 0,
      out: said,
      err: "",
    });
  });
});

Deno.test("check() shows every problem and warning of a bad file, and exits with 1", async () => {
  await withDirectory(async (cwd) => {
    await Deno.writeTextFile(
      `${cwd}/bad.yaml`,
      `${
        LISTENER.replace("app", "ap")
      }\npools:\n  app: { servers: ["10.0.0.1:80"], check: { type: tcp, path: /x } }\nzzz: 1`,
    );
    const { code, out, err } = await tandem(["check", "-c", "bad.yaml"], { cwd });
    assertEquals([code, out], [1, ""]);
    const known = Object.keys(ConfigSchema.shape).join(", ");
    assertEquals(
      err,
      `bad.yaml:3:56: warning: pools.app.check.path: has no effect in a check of type tcp
      app: { servers: ["10.0.0.1:80"], check: { type: tcp, path: /x } }
                                                           ^^^^
bad.yaml:1:45: listeners[0].pool: names no pool: "ap"; did you mean "app"?
    listeners: [{ name: web, bind: ":80", pool: ap }]
                                                ^^
bad.yaml:4:1: zzz: is not a known key (known: ${known})
    zzz: 1
    ^^^
bad.yaml: 2 problems
`,
    );
  });
});

Deno.test("check() --json is for programs, good or bad", async () => {
  await withDirectory(async (cwd) => {
    await Deno.writeTextFile(`${cwd}/good.yaml`, SMALLEST);
    const good = await tandem(["check", "-c", "good.yaml", "--json"], { cwd });
    assertEquals([good.code, JSON.parse(good.out), good.err], [
      0,
      { good: true, problems: [], warnings: [] },
      "",
    ]);
    await Deno.writeTextFile(`${cwd}/bad.yaml`, `${SMALLEST}\nworkers: 99`);
    const bad = await tandem(["check", "-c", "bad.yaml", "--json"], { cwd });
    assertEquals([bad.code, bad.err], [1, ""]);
    assertEquals(JSON.parse(bad.out), {
      good: false,
      warnings: [],
      problems: [{
        file: "bad.yaml",
        line: 3,
        column: 10,
        path: "workers",
        message: "must be a whole number from 1 to 64, not 99",
        source: "workers: 99",
        caret: 9,
        caretLength: 2,
      }],
    });
  });
});

Deno.test("check() a file that cannot be read is one line and exit code 1", async () => {
  await withDirectory(async (cwd) => {
    const missing = await tandem(["check", "-c", "nothing.yaml"], { cwd });
    assertEquals(missing, {
      code: 1,
      out: "",
      err: `Cannot read nothing.yaml: there is no such file in ${cwd}\n`,
    });
    const json = await tandem(["check", "-c", "nothing.yaml", "--json"], { cwd });
    assertEquals([json.code, json.err, JSON.parse(json.out)], [1, "", { error: missing.err.trim() }]);
    const directory = await tandem(["check", "-c", cwd]);
    assertEquals(directory, { code: 1, out: "", err: `Cannot read ${cwd}: it is a directory\n` });
  });
});

Deno.test("check() without a node checks all that the file has, and tells a problem of several once", async () => {
  await withDirectory(async (cwd) => {
    const nodes = "nodes:\n  lb1:\n  lb2: { workers: 2 }\n  lb3: { workers: 99 }";
    const file = `${cwd}/tandem.yaml`;
    await Deno.writeTextFile(file, `${SMALLEST}\n${nodes.replace("99", "9")}`);
    const good = await tandem(["check"], { cwd });
    assertEquals(
      good.out,
      ["lb1", "lb2", "lb3"].map((node) =>
        `tandem.yaml: good for node ${node}: 1 listener, 1 pool, 1 server\n`
      ).join(""),
    );
    await Deno.writeTextFile(file, `${LISTENER}\n${POOL.replace("80", "x")}\n${nodes}`);
    const bad = await tandem(["check"], { cwd });
    assertEquals(bad.err.match(/^tandem\.yaml:\d+/gm), ["tandem.yaml:2", "tandem.yaml:6"]);
    const one = await tandem(["check", "--node", "lb2"], { cwd });
    assertEquals(one.err.match(/^tandem\.yaml:\d+/gm), ["tandem.yaml:2"]);
    await Deno.writeTextFile(file, `${SMALLEST}\n${nodes}`);
    const unknown = await tandem(["check", "--node", "lb9"], { cwd });
    assertEquals(
      unknown.err.split("\n", 1)[0],
      'tandem.yaml:3:1: nodes: must name this node, "lb9" (--node, TANDEM_NODE), and has lb1, lb2, lb3; did you mean "lb1"?',
    );
  });
});

Deno.test("check() looks for the roots of files, from the directory of the configuration file", async () => {
  await withDirectory(async (cwd) => {
    await Deno.mkdir(`${cwd}/conf/www`, { recursive: true });
    const file = (root: string) =>
      Deno.writeTextFile(
        `${cwd}/conf/t.yaml`,
        `listeners: [{ name: web, bind: ":80", routes: [{ files: { root: ${root} } }] }]`,
      );
    const check = () => tandem(["check", "-c", "conf/t.yaml", "--node", "n1"], { cwd });
    await file("www");
    const good = await check();
    assertEquals([good.code, good.err], [0, ""]);
    await file("later");
    const later = await check();
    assertEquals([later.code, later.err.split("\n")[0]], [
      0,
      "conf/t.yaml:1:65: warning: listeners[0].routes[0].files.root: is not there (yet): its files are answered with 404",
    ]);
    await file("t.yaml");
    const bad = await check();
    assertEquals([bad.code, bad.err.split("\n")[0]], [
      1,
      "conf/t.yaml:1:65: listeners[0].routes[0].files.root: must be a directory",
    ]);
  });
});
