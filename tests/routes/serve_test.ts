/** The admin application apart from its node. */
import { answerFor } from "../../routes/serve.ts";
import { assertEquals } from "../assert.ts";
import { sampleStatus } from "../observe/sample_status.ts";

const ENTRY = new URL("../../routes/serve.ts", import.meta.url).pathname;
const TOKEN = "a-long-secret-token";

/** A node's admin address, which wants the token. */
function nodeAnswering(answer: () => Response): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    assertEquals(request.headers.get("authorization"), `Bearer ${TOKEN}`);
    if (pathname === "/metrics") return new Response(`metrics as ${request.headers.get("accept")}`);
    if (pathname === "/dashboard/events") return new Response("data: 1\n\n");
    if (pathname.startsWith("/api/")) {
      return new Response(`${request.method} ${pathname}${search} ${await request.text()}`);
    }
    assertEquals(pathname, "/status");
    return answer();
  });
}

const asked = (url: string, headers: HeadersInit = { authorization: `Bearer ${TOKEN}` }, path = "/status") =>
  answerFor({ url, token: TOKEN }, new Request(`http://elsewhere.test${path}`, { headers }));

Deno.test("answerFor() shows a node as the node does, to who has its token", async () => {
  await using node = nodeAnswering(() => Response.json(sampleStatus()));
  const url = `http://127.0.0.1:${node.addr.port}`;
  assertEquals(await (await asked(url)).json(), sampleStatus());
  assertEquals((await asked(url, {})).status, 401);
});

Deno.test("answerFor() has the page of the dashboard itself, and its events from the node", async () => {
  await using node = nodeAnswering(() => Response.json(sampleStatus()));
  const url = `http://127.0.0.1:${node.addr.port}`;
  assertEquals(await (await asked(url, undefined, "/dashboard/events")).text(), "data: 1\n\n");
  assertEquals((await asked(url, {}, "/dashboard/events")).status, 401);
  for (const path of ["/", "/dashboard/uplot.js"]) {
    const answer = await asked(url, {}, path);
    assertEquals([answer.status, (await answer.text()).includes("lb1")], [200, false], path);
  }
});

Deno.test("answerFor() hands on who asks for metrics, in the format that is wanted", async () => {
  await using node = nodeAnswering(() => Response.json(sampleStatus()));
  const url = `http://127.0.0.1:${node.addr.port}`;
  const headers = { authorization: `Bearer ${TOKEN}`, accept: "application/openmetrics-text" };
  const metrics = await asked(url, headers, "/metrics");
  assertEquals(await metrics.text(), "metrics as application/openmetrics-text");
  assertEquals((await asked(url, {}, "/metrics")).status, 401);
});

Deno.test("answerFor() hands the API on to the node, from who has its token", async () => {
  await using node = nodeAnswering(() => Response.json(sampleStatus()));
  const at = { url: `http://127.0.0.1:${node.addr.port}`, token: TOKEN };
  const request = (headers: HeadersInit) =>
    new Request("http://elsewhere.test/api/pools?a=1", { method: "POST", body: "{}", headers });
  const answer = await answerFor(at, request({ authorization: `Bearer ${TOKEN}` }));
  assertEquals(await answer.text(), "POST /api/pools?a=1 {}");
  assertEquals((await answerFor(at, request({}))).status, 401);
});

Deno.test("answerFor() a node that starts, refuses or is not there", async () => {
  let status = 503;
  await using node = nodeAnswering(() => new Response(null, { status }));
  const url = `http://127.0.0.1:${node.addr.port}`;
  const health = await asked(url, undefined, "/healthz");
  assertEquals([health.status, await health.text()], [503, "starting\n"]);
  status = 401;
  const refused = await asked(url);
  assertEquals([refused.status, await refused.json()], [502, { error: "the node answers 401" }]);
  await node.shutdown();
  assertEquals((await asked(url)).status, 502);
});

Deno.test("deno serve runs it, as its environment says", async () => {
  await using node = nodeAnswering(() => Response.json(sampleStatus()));
  const env = { TANDEM_URL: `http://127.0.0.1:${node.addr.port}/`, TANDEM_TOKEN: TOKEN, NO_COLOR: "1" };
  const flags = ["--no-prompt", "--allow-net", "--allow-env", "--host", "127.0.0.1", "--port", "0"];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["serve", ...flags, ENTRY],
    env,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  try {
    let said = "", url: string | undefined;
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      said += text;
      url = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0];
      if (url !== undefined) break;
    }
    const response = await fetch(`${url}/healthz`, { headers: { authorization: `Bearer ${TOKEN}` } });
    assertEquals([response.status, await response.text()], [200, "serving\n"]);
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
});
