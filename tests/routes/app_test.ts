import type { Access } from "../../routes/auth.ts";
import { type AdminSource, createAdminApp } from "../../routes/app.ts";
import type { KeeperStatus } from "../../mod/observe/keeper_status.ts";
import type { NodeStatus } from "../../mod/observe/status.ts";
import { assertEquals, assertNotMatch, assertStringIncludes } from "../assert.ts";
import { VRRP } from "../observe/sample_election.ts";
import { KERNEL } from "../observe/sample_kernel.ts";
import { sampleStatus, sampleTraffic } from "../observe/sample_status.ts";
import { NO_API } from "./no_desk.ts";

const TOKEN = "a-long-secret-token";
const LOOPBACK: Access = { from: "loopback", token: TOKEN };

function app(access: Access = LOOPBACK, source: Partial<AdminSource> = {}) {
  return createAdminApp(
    { ...NO_API, state: () => "serving", status: () => sampleStatus(), traffic: sampleTraffic, ...source },
    access,
  );
}

/** Status of `GET /status` with these headers. */
async function asked(access: Access, headers: Record<string, string>): Promise<number> {
  const response = await app(access).request("/status", { headers });
  await response.body?.cancel();
  return response.status;
}

Deno.test("GET /status gives the status as JSON, never cached", async () => {
  const response = await app().request("/status");
  assertEquals(response.status, 200);
  assertEquals(response.headers.get("cache-control"), "no-store");
  const status: NodeStatus = await response.json();
  assertEquals(status, sampleStatus());
});

Deno.test("GET /metrics gives Prometheus' text", async () => {
  const response = await app().request("/metrics");
  assertEquals(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  assertStringIncludes(await response.text(), 'tandem_build_info{node="lb1",version="0.1.0"} 1\n');
});

Deno.test("GET /metrics has the keeper's too, while it answers", async () => {
  const keeper = { vrrp: VRRP, kernel: KERNEL } as unknown as KeeperStatus;
  const desk = { ...NO_API.desk, keeper: () => Promise.resolve(keeper) };
  const text = await (await app(LOOPBACK, { desk }).request("/metrics")).text();
  for (const name of ["tandem_build_info", "tandem_vrrp_active", "tandem_kernel_connections_total"]) {
    assertStringIncludes(text, name);
  }
});

Deno.test("GET /healthz says 200 while serving and 503 while draining", async () => {
  const serving = await app().request("/healthz");
  assertEquals([serving.status, await serving.text()], [200, "serving\n"]);
  const draining = await app(LOOPBACK, { state: () => "draining" }).request("/healthz");
  assertEquals([draining.status, await draining.text()], [503, "draining\n"]);
});

Deno.test("everything is 503 until the first configuration is in force", async () => {
  const status = () => {
    throw new Error("there is none yet");
  };
  const starting = app(LOOPBACK, { state: () => "starting", status });
  const health = await starting.request("/healthz");
  assertEquals([health.status, await health.text()], [503, "starting\n"]);
  for (const path of ["/status", "/metrics"]) {
    const response = await starting.request(path);
    assertEquals([response.status, await response.json()], [503, { error: "the node is starting" }], path);
  }
});

Deno.test("HEAD is answered as GET, without a body", async () => {
  const response = await app().request("/status", { method: "HEAD" });
  assertEquals([response.status, await response.text()], [200, ""]);
});

Deno.test("unknown pages and methods get a short JSON error", async () => {
  const missing = await app().request("/nothing");
  assertEquals([missing.status, await missing.json()], [404, { error: "there is no such page" }]);
  const wrong = await app().request("/status", { method: "POST" });
  assertEquals([wrong.status, wrong.headers.get("allow")], [405, "GET, HEAD"]);
  assertEquals(typeof (await wrong.json()).error, "string");
});

Deno.test("an error in the source is a 500 that does not say what it was", async () => {
  const status = () => {
    throw new Error("secret detail");
  };
  const response = await app(LOOPBACK, { status }).request("/status");
  assertEquals(response.status, 500);
  assertNotMatch(await response.text(), /secret/);
});

Deno.test("guard() lets this machine read without a token when it names us by address or localhost", async () => {
  for (const host of ["127.0.0.1:9900", "localhost", "LocalHost:9900", "[::1]:9900", "192.0.2.1"]) {
    assertEquals(await asked(LOOPBACK, { host }), 200, host);
  }
  for (
    const host of ["evil.example:9900", "127.0.0.1.evil.example", "localhost.evil.example", "[::1].x", ""]
  ) {
    assertEquals(await asked(LOOPBACK, { host }), 421, host);
  }
});

Deno.test("guard() wants the token on a remote bind, for every page", async () => {
  const remote: Access = { from: "remote", token: TOKEN };
  assertEquals(await asked(remote, { authorization: `Bearer ${TOKEN}` }), 200);
  assertEquals(await asked(remote, { authorization: `bearer  ${TOKEN}`, host: "lb1.example:9900" }), 200);
  for (
    const wrong of [
      "",
      "x",
      "Bearer",
      "Bearer ",
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.slice(1)}`,
      `Basic ${TOKEN}`,
    ]
  ) {
    assertEquals(await asked(remote, { authorization: wrong }), 401, wrong);
  }
  for (const path of ["/status", "/metrics", "/healthz", "/nothing"]) {
    const response = await app(remote).request(path);
    assertEquals([response.status, response.headers.get("www-authenticate")], [401, 'Bearer realm="tandem"']);
    await response.body?.cancel();
  }
});

Deno.test("guard() lets nobody in on a remote bind without a configured token", async () => {
  const remote: Access = { from: "remote", token: null };
  for (const authorization of ["Bearer null", "Bearer ", "Bearer undefined"]) {
    assertEquals(await asked(remote, { authorization }), 401, authorization);
  }
  assertEquals(await asked(remote, {}), 401);
});

Deno.test("guard() refuses a wrong token even where none is needed", async () => {
  assertEquals(await asked(LOOPBACK, { authorization: "Bearer wrong" }), 401);
  assertEquals(await asked({ from: "loopback", token: null }, { authorization: "Bearer x" }), 401);
});

Deno.test("guard() leaves a unix socket to its file mode", async () => {
  assertEquals(await asked({ from: "socket", token: TOKEN }, { host: "anything.example" }), 200);
});
