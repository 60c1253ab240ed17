/** Every way to be refused leaves its line and its count, and nothing of what was sent. */
import { setUpLog } from "../../mod/observe/log_io.ts";
import { type RefusalReason, REFUSALS, Refusals } from "../../mod/observe/refusals.ts";
import { createAdminApp } from "../../routes/app.ts";
import type { Access } from "../../routes/auth.ts";
import { assert, assertEquals, assertMatch, assertNotMatch, assertStringIncludes } from "../assert.ts";
import { sampleStatus, sampleTraffic } from "../observe/sample_status.ts";
import { NO_API } from "./no_desk.ts";

const TOKEN = "a-long-secret-token";
const AUTHORIZED = { authorization: `Bearer ${TOKEN}` };
const SECRET = "do-not-show-this";
const FORM = { ...AUTHORIZED, "content-type": "text/plain" };

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** The lines of the log and the page of metrics after these requests. */
async function after(requests: readonly Asked[], access: Partial<Access> = {}) {
  const lines: string[] = [];
  setUpLog({ level: "info", format: "json", write: (line) => lines.push(line) });
  const source = {
    ...NO_API,
    state: () => "serving" as const,
    status: () => sampleStatus(),
    traffic: sampleTraffic,
  };
  const refusals = new Refusals();
  const app = createAdminApp(source, { from: "loopback", token: TOKEN, ...access }, refusals);
  const statuses: number[] = [];
  for (const { method = "PUT", path = "/api/maintenance", headers = {}, body } of requests) {
    const from = {
      method,
      headers: { "content-length": String(body?.length ?? 0), ...headers },
      body: body ?? null,
    };
    const response = await app.request(`http://127.0.0.1:9900${path}`, from, { peer: "10.0.0.9" });
    await response.body?.cancel();
    statuses.push(response.status);
  }
  const page = await (await app.request("http://127.0.0.1/metrics")).text();
  return { lines: lines.filter((line) => line.includes("audit")), page, statuses };
}

const REFUSED: [RefusalReason, status: number, Asked, Partial<Access>?][] = [
  ["noToken", 401, { headers: { "content-type": "application/json" } }],
  ["wrongToken", 401, { headers: { authorization: `Bearer ${SECRET}` } }],
  ["wrongToken", 401, { method: "GET", path: "/status", headers: { authorization: `Bearer ${SECRET}` } }],
  ["origin", 403, { headers: { ...AUTHORIZED, origin: "https://evil.example" } }],
  ["forbidden", 403, {}, { token: null }],
  ["host", 421, { method: "GET", path: "/status", headers: { host: "evil.example" } }],
  ["type", 415, { headers: FORM, body: SECRET }],
  ["invalid", 400, {
    headers: { ...AUTHORIZED, "content-type": "application/json" },
    body: `{"on": "${SECRET}"`,
  }],
  ["invalid", 400, {
    headers: { ...AUTHORIZED, "content-type": "application/json" },
    body: `{"on":"${SECRET}"}`,
  }],
  ["body", 413, { headers: { ...AUTHORIZED, "content-length": "99999999" } }],
];
for (const [reason, status, asked, access] of REFUSED) {
  const { method = "PUT", path = "/api/maintenance" } = asked;
  Deno.test(`auditRefusals() tells and counts ${status} ${reason} of ${method} ${path}`, async () => {
    const { lines, page, statuses } = await after([{ ...asked, path: `${path}?q=${SECRET}` }], access);
    assertEquals([statuses, lines.length], [[status], 1]);
    assertStringIncludes(lines[0]!, `10.0.0.9: ${method} ${path}: refused`);
    assertStringIncludes(lines[0]!, REFUSALS[reason]);
    assertNotMatch(lines[0]!, /do-not-show|a-long-secret/);
    assertStringIncludes(page, `tandem_admin_refused_total{reason="${reason}"} 1\n`);
  });
}

Deno.test("auditRefusals() is silent about what is let in, and about readers' mistakes", async () => {
  const { lines, statuses } = await after([
    { method: "GET", path: "/status" },
    { method: "GET", path: "/api/pools/x/sessions?limit=none" },
    { method: "GET", path: "/nothing" },
  ]);
  assertEquals([statuses, lines], [[200, 400, 404], []]);
});

Deno.test("auditRefusals() of many at once tells the first, and counts all", async () => {
  const { lines, page } = await after(
    Array.from({ length: 50 }, () => ({ headers: { authorization: "Bearer x" } })),
  );
  // A slow machine may need more than a second for them.
  assert(lines.length < 50);
  assertMatch(page, /tandem_admin_refused_total\{reason="wrongToken"\} 50\n/);
});

Deno.test("Refusals tells one a second, with how many it has left out", () => {
  const refusals = new Refusals();
  const told = [0, 10, 999, 1000, 1500, 5000, 9000].map((now) => refusals.note("host", now));
  assertEquals(told, [0, null, null, 2, null, 1, 0]);
});
