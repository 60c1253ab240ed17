import { runStatus } from "../../mod/cli/status_io.ts";
import { createAdminApp } from "../../routes/app.ts";
import { assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { sampleStatus, sampleTraffic } from "../observe/sample_status.ts";
import { tandem, withDirectory } from "./tandem.ts";
import { NO_API } from "../routes/no_desk.ts";

const TOKEN = "a-long-secret-token";

async function asked(
  handler: (request: Request) => Response | Promise<Response>,
  { token = null as string | null, json = false, scheme = "http://" } = {},
): Promise<{ code: number; out: string; err: string }> {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, handler);
  const said = { out: "", err: "" };
  const code = await runStatus({
    url: `${scheme}127.0.0.1:${server.addr.port}`,
    token,
    json,
    columns: null,
    out: (text) => said.out += text,
    err: (text) => said.err += text,
  });
  await server.shutdown();
  return { code, ...said };
}

function admin(from: "loopback" | "remote") {
  const source = {
    ...NO_API,
    state: () => "serving" as const,
    status: () => sampleStatus(),
    traffic: sampleTraffic,
  };
  return createAdminApp(source, { from, token: TOKEN }).fetch;
}

Deno.test("runStatus() prints the table of a node", async () => {
  const { code, out, err } = await asked(admin("loopback"));
  assertEquals([code, err], [0, ""]);
  assertMatch(out, /^lb1: serving, generation 7/);
  assertStringIncludes(out, "pool app (roundRobin)");
});

Deno.test("runStatus() takes an address as the configuration has it", async () => {
  const { code, err } = await asked(admin("loopback"), { scheme: "" });
  assertEquals([code, err], [0, ""]);
});

Deno.test("runStatus() prints the JSON of a node, with its token", async () => {
  const { code, out } = await asked(admin("remote"), { token: TOKEN, json: true });
  assertEquals([code, JSON.parse(out)], [0, JSON.parse(JSON.stringify(sampleStatus()))]);
});

Deno.test("runStatus() says why there is no status", async () => {
  const refused = await asked(admin("remote"));
  assertEquals([refused.code, refused.out], [1, ""]);
  assertStringIncludes(refused.err, "401: a token is needed");
  for (const body of ["hello", "null", "[]", '{"node":"x"}']) {
    const other = await asked(() => new Response(body));
    assertEquals([other.code, other.out], [1, ""]);
    assertStringIncludes(other.err, "is not Tandem");
  }
});

Deno.test("runStatus() says that nobody answers", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  let err = "";
  const url = `127.0.0.1:${port}`;
  const code = await runStatus({
    url,
    token: null,
    json: false,
    columns: null,
    out() {},
    err: (text) => err += text,
  });
  assertEquals(code, 1);
  assertStringIncludes(err, `Cannot read the status from ${url}: connection refused`);
});

Deno.test("status of a node that is named and not there tells nothing of another one", async () => {
  await withDirectory(async (directory) => {
    const env = { RUNTIME_DIRECTORY: directory };
    for (const [args, more] of [[["--node", "nonesuch"], {}], [[], { TANDEM_NODE: "nonesuch" }]] as const) {
      const { code, out, err } = await tandem(["status", ...args], { env: { ...env, ...more } });
      assertEquals([code, out], [1, ""]);
      assertMatch(
        err,
        /^Cannot read the status as no keeper answers at .*nonesuch.*another node is not asked/,
      );
    }
  });
});
