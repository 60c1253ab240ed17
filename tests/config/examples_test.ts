/** The examples, as each of their nodes reads them, and as an editor does. */
import { Ajv2020 } from "ajv/dist/2020.js";
// @ts-types="../../mod/config/std_yaml.d.ts"
import { parse } from "@std/yaml";
import { editorSchema } from "../../mod/config/json_schema.ts";
import { listOverlays } from "../../mod/config/load.ts";
import { assert, assertEquals } from "../assert.ts";
import { good, listenerWith, load, POOL, poolWith, routesOf, serversOf, SMALLEST } from "./reading.ts";

const DIRECTORY = new URL("../../examples/", import.meta.url);
const NAMES = [
  "smallest.yaml",
  "shop.yaml",
  "pair.yaml",
  "files.yaml",
  "compression.yaml",
  "cache.yaml",
  "routing.yaml",
  "rewriting.yaml",
  "canary.yaml",
  "passthrough.yaml",
  "https.yaml",
  "acme.yaml",
  "grpc.yaml",
  "proxy-protocol.yaml",
  "tls-servers.yaml",
  "sync-group.yaml",
  "sessions.yaml",
  "protection.yaml",
  "failures.yaml",
  "functions.yaml",
  "checks.yaml",
  "credentials.yaml",
  "tracing.yaml",
];

const read = (name: string) => Deno.readTextFileSync(new URL(name, DIRECTORY));
const env = { TANDEM_KEY: "sixteen characters", EDGE_KEYS: "a,b" };
const validate = new Ajv2020({ strict: false, allErrors: true }).compile(editorSchema());

function schemaErrors(text: string): string[] {
  return validate(parse(text)) ? [] : validate.errors!.map((one) => `${one.instancePath}: ${one.message}`);
}

Deno.test("examples() every node and context of each reads it without a warning", async () => {
  for (const name of NAMES) {
    const { nodes, contexts } = await listOverlays(read(name), name);
    for (const node of [undefined, ...nodes]) {
      for (const context of [undefined, ...contexts]) {
        const result = await load(read(name), {
          file: name,
          env,
          ...(node === undefined ? {} : { node }),
          ...(context === undefined ? {} : { context }),
        });
        assertEquals(
          "problems" in result ? result.problems : result.warnings,
          [],
          `${name} ${node} ${context}`,
        );
      }
    }
  }
});

Deno.test("examples() the smallest has six lines, and the pair differs by node and context", async () => {
  assertEquals(read("smallest.yaml").trim().split("\n").length, 6);
  const pair = read("pair.yaml");
  const [one, two, development] = [
    await good(pair, { node: "lb1", env }),
    await good(pair, { node: "lb2", env }),
    await good(pair, { node: "lb2", context: "development", env }),
  ];
  assertEquals([one.workers, two.workers], ["auto", 2]);
  assertEquals(one.pools.app?.servers.map(({ name, weight }) => [name, weight]), [["a", 1], ["b", 1]]);
  assertEquals(two.pools.app?.servers.map(({ name, weight }) => [name, weight]), [["a", 2], ["b", 1]]);
  assertEquals(development.pools.app?.servers.map(({ name }) => name), ["a"]);
  assertEquals(development.drainTimeout, 1000);
});

Deno.test("editorSchema() accepts the examples and every form that is accepted", () => {
  for (const name of NAMES) assertEquals(schemaErrors(read(name)), [], name);
  const forms = [
    listenerWith(
      "pool: app",
      "limits: { body: 0, head: 4096, connections: '${N}' }",
      "timeouts: { head: '${T:-1s}' }",
    ),
    listenerWith("pool: app").replace('":80"', '["127.0.0.1:80", ":81"]'),
    poolWith("retry: { on: [connect, 503, '504'], budget: 0.5 }", "passive: false"),
    poolWith("check: { expect: { status: 200 }, command: /bin/true, type: exec }"),
    poolWith(
      "check: { expect: { status: [200, 300-399] } }",
      "passive: { serverErrors: 50%, maxEjected: 1 }",
    ),
    poolWith("passive: '${PASSIVE}'", "balance: '${BALANCE}'"),
    listenerWith("protocol: tcp", "routes: [{ match: { sni: '*.a.org', alpn: [h2] }, pool: app }]"),
    listenerWith("pool: app", "proxyProtocol: { from: [10.0.0.0/8, '::1'] }"),
    poolWith("proxyProtocol: v1", "check: { proxyProtocol: false }"),
    routesOf("{ match: { host: [a.org], method: GET, headers: { a: b } }, respond: { status: 204 } }"),
    serversOf('["10.0.0.1:80", { dns: a.org, type: SRV, weight: "${W}", backup: "${B}" }]'),
    `${SMALLEST}\nworkers: auto\nnodes: { a: , b: { listeners: {} } }\nadmin: { token: "\${T}" }`,
    `${SMALLEST}\nworkers: "\${WORKERS}"\ncontexts: {}`,
  ];
  for (const text of forms) assertEquals(schemaErrors(text), [], text);
});

Deno.test("editorSchema() refuses what is refused field by field", async () => {
  const bad = [
    POOL,
    `${SMALLEST}\nzzz: 1`,
    `${SMALLEST}\nworkers: 65`,
    `${SMALLEST}\nlog: { level: loud }`,
    listenerWith("pool: app", "timeouts: { head: 10 }"),
    poolWith("retry: { on: [418] }"),
    poolWith("check: { type: ftp }"),
    poolWith("proxyProtocol: v3"),
    listenerWith("pool: app", "proxyProtocol: { from: [] }"),
    serversOf("[]"),
    serversOf("[{ name: a, weight: 500 }]"),
  ];
  for (const text of bad) {
    assert(schemaErrors(text).length > 0, text);
    assert("problems" in await load(text), text);
  }
});
