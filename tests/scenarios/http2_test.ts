/** HTTP/2 with real programs on both sides: curl, h2load, nginx, and gRPC's own client and server. */
import { assert, assertEquals } from "../assert.ts";
import { labTest, requireTool } from "../lab/tools.ts";
import { freePort, Node } from "./node.ts";
import { Peers } from "./peers.ts";

const LARGE = 3_000_017;

/** Runs a program to its end, and answers what it printed. */
async function output(program: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

labTest(
  "run() speaks HTTP/2 to clients, to nginx, or to both, and all of it arrives",
  ["curl", "nginx", "openssl", "h2load"],
  async (t) => {
    await using peers = await Peers.make();
    const pair = await peers.certificate("inside.test");
    const large = peers.write("large", "0123456789abcdef".repeat(LARGE / 16));
    const [http1, http2] = [freePort(), freePort()];
    const site =
      `root ${peers.directory}; location /put/ { dav_methods PUT; create_full_put_path on; client_max_body_size 0; }`;
    await peers.nginx(
      http1,
      `server { listen 127.0.0.1:${http1}; ${site} }
       server { listen 127.0.0.1:${http2} ssl http2; ssl_certificate ${pair}; ssl_certificate_key ${pair}; ${site} }`,
    );
    const [web, plain] = [freePort(), freePort()];
    await using node = await Node.start(`
listeners:
  - name: web
    bind: "127.0.0.1:${web}"
    tls: { certificates: [{ cert: "${pair}", key: "${pair}" }] }
    routes: [{ match: { path: "/two/*" }, rewrite: { stripPrefix: /two }, pool: two }, { pool: one }]
  - { name: plain, bind: "127.0.0.1:${plain}", pool: two }
pools:
  one: { servers: ["127.0.0.1:${http1}"] }
  two: { protocol: h2, servers: ["127.0.0.1:${http2}"], tls: { ca: "${pair}", serverName: inside.test } }
`);
    const urls: [string, string[]][] = [
      [`https://127.0.0.1:${web}`, ["--http2"]],
      [`https://127.0.0.1:${web}/two`, ["--http2"]],
      [`http://127.0.0.1:${plain}`, ["--http2-prior-knowledge"]],
      [`http://127.0.0.1:${plain}`, ["--http1.1"]],
    ];
    for (const [url, how] of urls) {
      await t.step(`${url.replace(/:\d+/, "")} ${how[0]}`, async () => {
        const got = `${peers.directory}/got`;
        const version = how[0] === "--http1.1" ? "1.1" : "2";
        const told = await output(
          "curl",
          "-sk",
          ...how,
          "-w",
          "%{http_version} %{http_code}",
          "-o",
          got,
          `${url}/large`,
        );
        assertEquals(told, `${version} 200`);
        assertEquals(Deno.readTextFileSync(got), Deno.readTextFileSync(large));
        const put = await output(
          "curl",
          "-sk",
          ...how,
          "-T",
          large,
          "-w",
          "%{http_code}",
          `${url}/put/${how[0]}`,
        );
        assertEquals(put, "201");
        const stored = `${peers.directory}/put/${how[0]}`;
        assertEquals(Deno.readTextFileSync(stored), Deno.readTextFileSync(large));
        Deno.removeSync(stored);
        assertEquals(
          await output("curl", "-skI", ...how, "-w", "%{http_code}", "-o", "/dev/null", `${url}/none`),
          "404",
        );
      });
    }
    const tool = requireTool("h2load");
    assert("path" in tool);
    for (const path of ["/large", "/two/large"]) {
      const told = await output(
        tool.path,
        "-n",
        "60",
        "-c",
        "4",
        "-m",
        "8",
        `https://127.0.0.1:${web}${path}`,
      );
      assert(told.includes("60 succeeded, 0 failed, 0 errored"), told);
    }
    // What went over one connection of a client went over few connections to the server.
    const { counters } = await node.server(`127.0.0.1:${http2}`);
    assert(counters.requests > 60 && counters.connections < 40, JSON.stringify(counters));
  },
);

Deno.test("run() carries gRPC between its own client and server, and tells its errors in gRPC", async () => {
  const program = (name: string) => new URL(name, import.meta.url).pathname;
  const deno = (name: string, ...args: string[]) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-check", "--allow-all", program(name), ...args],
      stdin: "null",
      stdout: "piped",
    });
  const server = deno("grpc_server_program.ts").spawn();
  try {
    const reader = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const port = Number((await reader.read()).value);
    const listen = freePort();
    await using _node = await Node.start(`
listeners: [{ name: grpc, bind: "127.0.0.1:${listen}", pool: echo }]
pools: { echo: { protocol: h2, servers: ["127.0.0.1:${port}"] } }
`);
    const call = async () =>
      JSON.parse(
        new TextDecoder().decode(
          (await deno("grpc_client_program.ts", `127.0.0.1:${listen}`).output()).stdout,
        ),
      );
    assertEquals(await call(), {
      say: "said hello (seen)",
      many: "one 0,one 1,one 2,one 3,one 4",
      sum: "200000",
      chat: "re turn 0,re turn 1,re turn 2,re turn 3",
      fail: "9 not today",
      never: "4",
    });
    server.kill("SIGKILL");
    await reader.cancel();
    await server.status;
    // UNAVAILABLE, with our own words.
    const { say, chat } = await call();
    assert(/^14 .*server/.test(say) && /^14 /.test(chat), `${say}, ${chat}`);
  } finally {
    try {
      server.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  }
});
