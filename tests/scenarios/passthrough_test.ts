/** TLS passed on unread: real servers with their own certificates behind a node that has none. */
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { labTest } from "../lab/tools.ts";
import { eventually, freePort, Node } from "./node.ts";
import { curl, Peers, run } from "./peers.ts";

labTest("run() passes TLS on by its name: two certificates, HTTP/2, ALPN, and what nobody takes", [
  "curl",
  "nginx",
  "openssl",
], async (t) => {
  await using peers = await Peers.make();
  const [port, one, two, plain] = [freePort(), freePort(), freePort(), freePort()];
  const [cert, other] = [await peers.certificate("one.test"), await peers.certificate("two.test")];
  await peers.nginx(
    one,
    `server { listen 127.0.0.1:${one} ssl http2; ssl_certificate ${cert}; ssl_certificate_key ${cert};
       location / { return 200 "one $server_protocol $ssl_server_name"; }
       location /big { root ${peers.directory}; try_files /big =404; } }
     server { listen 127.0.0.1:${plain}; return 200 "no TLS"; }`,
  );
  peers.write("big", "x".repeat(3_000_000));
  await peers.start(
    "openssl",
    ["s_server", "-accept", `127.0.0.1:${two}`, "-cert", other, "-www", "-quiet"],
    two,
  );
  const config = (fallback: string) => `
listeners:
  - name: tls
    bind: "127.0.0.1:${port}"
    protocol: tcp
    timeouts: { head: 1s }
    routes:
      - { match: { sni: one.test, alpn: [h2, http/1.1] }, pool: one }
      - { match: { sni: [two.test, "*.two.test"] }, pool: two }
${fallback}
pools:
  one: { servers: [{ name: s1, address: "127.0.0.1:${one}" }] }
  two: { servers: [{ name: s2, address: "127.0.0.1:${two}" }] }
  plain: { servers: [{ name: s3, address: "127.0.0.1:${plain}" }] }
log: { format: json, access: json }
workers: 2
`;
  await using node = await Node.start(config(""));
  const url = (
    name: string,
    path = "/",
  ) => ["--resolve", `${name}:${port}:127.0.0.1`, `https://${name}:${port}${path}`];
  const client = (name: string, ca: string, ...more: string[]) =>
    run("openssl", [
      ...[
        "s_client",
        "-connect",
        `127.0.0.1:${port}`,
        "-servername",
        name,
        "-verify_return_error",
        "-CAfile",
        ca,
        ...more,
      ],
    ]);
  const lines = (error: string) =>
    node.program.lines.filter((line) => line.includes('"termination"')).map((line) => JSON.parse(line))
      .filter((line) => line.error === error);

  await t.step("each name reaches the server that has its certificate, HTTP/2 as well", async () => {
    assertEquals(await curl("--http2", "--cacert", cert, ...url("one.test")), "one HTTP/2.0 one.test");
    assertEquals(await curl("--http1.1", "--cacert", cert, ...url("one.test")), "one HTTP/1.1 one.test");
    assertEquals(
      await curl("--tls-max", "1.2", "--cacert", cert, ...url("ONE.test")),
      "one HTTP/2.0 one.test",
    );
    assertEquals((await curl("--http2", "--cacert", cert, ...url("one.test", "/big"))).length, 3_000_000);
    assertMatch(await curl("--cacert", other, ...url("two.test")), /s_server/);
    for (const version of ["-tls1_3", "-tls1_2"]) {
      const { code, text } = await client("two.test", other, version);
      assertEquals(code, 0, text);
      assertMatch(text, /subject=CN = two.test/);
    }
    // The wildcard's server has a certificate for another name, which curl must be told not to mind.
    assertMatch(await curl("-k", ...url("a.b.two.test")), /s_server/);
    await eventually(() => lines("").some(({ host, server }) => host === "a.b.two.test" && server === "s2"));
    assert(lines("").some(({ host, server }) => host === "one.test" && server === "s1"));
  });

  await t.step("without a default, what nobody takes is closed with its reason", async () => {
    assertEquals((await client("three.test", cert)).code, 1);
    assertEquals((await client("one.test", cert, "-alpn", "imap")).code, 1);
    assertEquals((await run("curl", ["-sS", `http://127.0.0.1:${port}/`])).code, 52, "an empty reply");
    await node.until((status) => {
      const { counters } = status.listeners[0]!;
      return counters.noRoute === 2 && counters.notTls === 1;
    });
    await eventually(() => lines("noRoute").map(({ host }) => host).sort().join() === "one.test,three.test");
    assertEquals(lines("notTls").length, 1);
  });

  await t.step("a silent client is let go after the time-out of a head", async () => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    assertEquals(await conn.read(new Uint8Array(1)), null);
    conn.close();
    await node.until(({ listeners }) => listeners[0]!.counters.headTimeout === 1);
  });

  await t.step("with a default, it goes there; a reload is enough", async () => {
    await node.reload(config("      - { pool: plain }"));
    assertEquals(await curl(`http://127.0.0.1:${port}/`), "no TLS");
    assertEquals(await curl("--cacert", cert, ...url("one.test")), "one HTTP/2.0 one.test");
  });
});
