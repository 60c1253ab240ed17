// Invariant: whatever the text, `loadConfig` gives a configuration or at least one problem inside the text, and never throws.
import fc from "fast-check";
import { formatProblem } from "../../mod/config/problem.ts";
import { assert, assertEquals } from "../assert.ts";
import { good, load } from "../config/reading.ts";

const WHOLE = `
listeners:
  - name: web
    bind: ["0.0.0.0:8080", "[::1]:8081"]
    timeouts: &timeouts { head: 5s, body: "\${BODY:-30s}" }
    trustedProxies: [10.0.0.0/8]
    routes:
      - match: { host: "*.example.org", path: "/a/:id{[0-9]+}/*", method: [GET], headers: { x-a: b }, query: { v: "2" } }
        redirect: { to: "https://example.org/:id/*", status: 301 }
      - { match: { path: /ping }, respond: { status: 200, body: "pong\\n" } }
      - pool: app
  - { <<: { limits: { connections: 8 } }, timeouts: *timeouts, name: db, bind: ":5432", protocol: tcp, pool: app }
pools:
  app:
    balance: hash
    hashOn: sourceIp
    servers: ["10.0.0.1:80", { name: b, dns: app.internal, type: SRV, weight: 2 }, app.internal:80]
    check: { type: exec, command: [/bin/true], expect: { status: [200, 300-399] } }
    passive: { serverErrors: 50% }
    retry: { on: [connect, 503] }
admin: { bind: "127.0.0.1:9900", token: "\${TOKEN}" }
log: { access: json }
workers: auto
nodes: { n1: { listeners: { web: { bind: ":80" }, db: null } }, n2: }
contexts: { lab: { pools: { app: { servers: { b: { weight: 5 } } } } } }
`;

/** What means something to YAML, JSON or to us. */
const PIECES = [
  ..."{}[]:,-?&*!|>'\"%@`#\\$~=\n\t \0\u0085\u2028\ud800",
  "${",
  "${A}",
  "$${",
  "<<",
  "__proto__",
  "- ",
  ": ",
  "*timeouts",
  "&timeouts",
  "null",
  "true",
  "1e999",
  "0x1f",
  "2020-01-01",
  "!!binary ",
  "!!set ",
  "!!js/function ",
  "---\n",
  "...\n",
  "\r\n",
  "  ",
  "app",
  "name",
  "n1",
  "{}",
  "[]",
  "9".repeat(400),
];
const LINES = WHOLE.split("\n");

const edit = fc.oneof(
  fc.record({ kind: fc.constant("insert" as const), at: fc.nat(), piece: fc.constantFrom(...PIECES) }),
  fc.record({ kind: fc.constant("cut" as const), at: fc.nat(), length: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ kind: fc.constant("line" as const), at: fc.nat(), line: fc.constantFrom(...LINES) }),
  fc.record({ kind: fc.constant("indent" as const), at: fc.nat(), by: fc.nat(4) }),
);

function mutate(
  text: string,
  edits: readonly (typeof edit extends fc.Arbitrary<infer T> ? T : never)[],
): string {
  return edits.reduce((text, change) => {
    const at = change.at % (text.length + 1);
    if (change.kind === "insert") return text.slice(0, at) + change.piece + text.slice(at);
    if (change.kind === "cut") return text.slice(0, at) + text.slice(at + change.length);
    const lines = text.split("\n");
    const row = change.at % lines.length;
    if (change.kind === "line") lines.splice(row, 0, change.line);
    else lines[row] = " ".repeat(change.by) + lines[row]?.trimStart();
    return lines.join("\n");
  }, text);
}

const reading = fc.record({
  node: fc.constantFrom("n1", "n2", "n3"),
  context: fc.constantFrom("lab", "other", undefined),
  env: fc.constantFrom({}, { TOKEN: "0123456789abcdef", A: "x: {" }),
});

async function check(
  text: string,
  file: string,
  choice: typeof reading extends fc.Arbitrary<infer T> ? T : never,
) {
  const { context, ...rest } = choice;
  const result = await load(text, { file, ...rest, ...(context === undefined ? {} : { context }) });
  assert("config" in result || result.problems.length > 0);
  const problems = "problems" in result ? result.problems : [];
  for (const problem of [...problems, ...result.warnings]) {
    const shown = formatProblem(problem).split("\n");
    assert(shown.length === 3 && problem.message !== "" && !problem.message.includes("undefined"), shown[0]);
    assert(problem.line >= 1 && problem.line <= text.split("\n").length, shown[0]);
    assert(problem.caret <= problem.source.length && problem.caretLength <= 121, shown[0]);
  }
}

Deno.test("loadConfig() takes the text that is mutated", async () => {
  const config = await good(WHOLE, { node: "n1", context: "lab", env: { TOKEN: "0123456789abcdef" } });
  assertEquals(config.pools.app?.servers.map(({ weight }) => weight), [1, 5, 1]);
});

Deno.test("loadConfig() survives mutated YAML", async () => {
  const edits = fc.array(edit, { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(edits, reading, (edits, choice) => check(mutate(WHOLE, edits), "a.yaml", choice)),
    { numRuns: 3000 },
  );
});

Deno.test("loadConfig() survives mutated JSON", async () => {
  const json = JSON.stringify({
    tandem: {
      listeners: [{ name: "web", bind: ":80", routes: [{ match: { path: "/a" }, pool: "app" }] }],
      pools: { app: { servers: ["10.0.0.1:80", "app.internal:80"], check: {} } },
      nodes: { n1: { listeners: { web: null } }, n2: {} },
    },
  });
  assert("config" in await load(json, { file: "deno.jsonc", node: "n2" }));
  const edits = fc.array(edit, { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(edits, reading, (edits, choice) => check(mutate(json, edits), "deno.jsonc", choice)),
    { numRuns: 1000 },
  );
});

Deno.test("loadConfig() survives any value in any place", async () => {
  const places = ["listeners", "pools", "admin", "log", "workers", "nodes", "contexts", "drainTimeout"];
  const values = fc.dictionary(fc.constantFrom(...places), fc.jsonValue({ maxDepth: 4 }));
  await fc.assert(
    fc.asyncProperty(values, reading, (value, choice) => check(JSON.stringify(value), "a.json", choice)),
    { numRuns: 1000 },
  );
});
