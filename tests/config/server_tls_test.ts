import { buildSnapshot } from "../../mod/config/build.ts";
import { certificateFiles } from "../../mod/config/certificate_files_io.ts";
import { loadConfig } from "../../mod/config/load.ts";
import { problemLine } from "../../mod/config/problem.ts";
import { RowAllocator } from "../../mod/config/rows.ts";
import type { Snapshot } from "../../mod/config/snapshot.ts";
import { assert, assertEquals } from "../assert.ts";
import { Certificates } from "../lab/certificates.ts";
import { labTest } from "../lab/tools.ts";
import { errors, poolWith, warnings } from "./reading.ts";

const PLACES = { listeners: 10, pools: 10, servers: 100 };

function allocator(): RowAllocator {
  return new RowAllocator(PLACES);
}

/** The snapshot of a text whose files are given by path. */
async function built(
  text: string,
  files: Record<string, string> = {},
  rows = allocator(),
): Promise<Snapshot> {
  const loaded = await loadConfig(text, {
    file: "tandem.yaml",
    node: null,
    context: null,
    env: () => undefined,
    files: { read: (path) => ({ text: files[path]!, warning: null }), belong: () => true },
  });
  assert("config" in loaded, JSON.stringify(loaded));
  return buildSnapshot(loaded.config, {
    generation: 1,
    directory: ".",
    node: "n1",
    resolve: () => [{ host: "10.0.0.1", port: 443 }],
    rows,
    files: loaded.files,
  });
}

/** A pool in an http listener's configuration, from its servers and the rest. */
function pool(servers: string, ...more: string[]): string {
  return [
    'listeners: [{ name: web, bind: ":80", pool: app }]',
    "pools:",
    "  app:",
    `    servers: ${servers}`,
    ...more.map((line) => `    ${line}`),
  ].join("\n");
}

Deno.test("buildSnapshot() without tls a pool says nothing of it", async () => {
  for (const more of [[], ["tls: false"]]) {
    const [app] = (await built(pool('["app.internal:443"]', ...more))).pools;
    assertEquals([app!.tls, app!.servers[0]!.tlsName], [undefined, undefined]);
  }
});

Deno.test("buildSnapshot() tls: true verifies by the name that each server is given by", async () => {
  const text = pool(
    '["App.internal:443", "10.0.0.2:443", { dns: b.internal, port: 443 }, { address: "10.0.0.3:1", serverName: c }]',
    "tls: true",
  );
  const [app] = (await built(text)).pools;
  assertEquals(app!.tls, { verify: true, ca: null, clientCertificate: null, alpn: [], minVersion: "1.2" });
  assertEquals(app!.servers.map(({ tlsName }) => tlsName ?? ""), ["app.internal", "", "b.internal", "c"]);
});

Deno.test("buildSnapshot() the files' texts go in, the pool's name goes before a host name, one server's before both", async () => {
  const tls =
    "tls: { ca: [a.pem, b.pem], clientCertificate: { cert: c.pem, key: c.key }, serverName: P, alpn: http/1.1, minVersion: 1.3 }";
  const files = { "a.pem": "A\n", "b.pem": "B\n", "c.pem": "C\n", "c.key": "K\n" };
  const [app] =
    (await built(pool('[ "a.internal:1", { address: "b.internal:1", serverName: s } ]', tls), files)).pools;
  assertEquals(app!.tls, {
    verify: true,
    ca: "A\nB\n",
    clientCertificate: { cert: "C\n", key: "K\n" },
    alpn: ["http/1.1"],
    minVersion: "1.3",
  });
  assertEquals(app!.servers.map(({ tlsName }) => tlsName), ["p", "s"]);
});

Deno.test("buildSnapshot() a check goes the way of the pool, unless it says otherwise", async () => {
  const check = async (...lines: string[]) =>
    (await built(pool('["a.internal:1"]', ...lines))).pools[0]!.check!;
  assertEquals((await check("tls: { verify: false }", "check: { type: http }")).tls?.verify, false);
  assertEquals((await check("tls: { verify: false }", "check: { type: tls }")).tls?.verify, false);
  assertEquals((await check("tls: true", "check: { type: tcp }")).tls, undefined);
  assertEquals((await check("tls: true", "check: { type: http, tls: false }")).tls, undefined);
  assertEquals((await check("check: { type: tls }")).tls, undefined);
  const own = await check("tls: { verify: false }", "check: { tls: { serverName: h.internal } }");
  assertEquals([own.tls?.verify, own.tlsName], [true, "h.internal"]);
  const only = await built(pool('["a.internal:1"]', "check: { tls: true }"));
  assertEquals([only.pools[0]!.tls, only.pools[0]!.servers[0]!.tlsName], [undefined, "a.internal"]);
});

Deno.test("buildSnapshot() a server with other settings or files of tls has another slot, a plain one keeps it", async () => {
  const rows = allocator();
  const slot = async (line: string, ca = "A") =>
    (await built(pool('["a.internal:1"]', line), { "a.pem": ca }, rows)).pools[0]!.servers[0]!.slot;
  const plain = await slot("tls: false");
  const trusting = await slot("tls: { ca: a.pem }");
  const seen = [
    plain,
    trusting,
    await slot("tls: { ca: a.pem }", "B"),
    await slot("tls: true"),
    await slot("tls: { serverName: x }"),
  ];
  assertEquals(new Set(seen).size, seen.length, String(seen));
  assertEquals([await slot("tls: false"), await slot("tls: { ca: a.pem }")], [plain, trusting]);
});

Deno.test("checkServerTls() what cannot be meant is an error, what has no effect a warning", async () => {
  assertEquals(await errors(pool('[{ address: "1.2.3.4:1", serverName: a }]')), [
    "4:39 «serverName» pools.app.servers[0].serverName: has no sense in a pool without tls",
  ]);
  assertEquals(await errors(pool("[{ dns: _a._tcp.b, type: SRV }]", "tls: true")), [
    "4:15 «{ dns: _a._tcp.b, type: SRV }» pools.app.servers[0]: needs a serverName for tls, as the name of an SRV record is not that of a host",
  ]);
  assertEquals(await errors(poolWith("tls: { alpn: [h2] }")), [
    "5:18 «[h2]» pools.app.tls.alpn: must be http/1.1, as that is what servers are spoken to in",
  ]);
  assertEquals(await errors(poolWith("tls: true", "proxyProtocol: v2")), []);
  assertEquals(
    await errors(poolWith("tls: { serverName: 10.0.0.1 }", "tls2: 1")).then((all) => all.length),
    2,
  );
  assertEquals(await errors(poolWith("tls: { minVersion: 1.1 }")).then((all) => all.length), 1);
  assertEquals(await warnings(poolWith("tls: { verify: false, ca: a.pem }")), [
    "5:27 «ca» pools.app.tls.ca: has no effect without verify",
  ]);
});

labTest(
  "loadConfig() names every file that is missing, broken or another's, with its place, and tells no key",
  ["openssl"],
  async () => {
    using made = new Certificates();
    const ours = made.authority("ours");
    const app = made.sign("app", ours, { names: "DNS:app" });
    made.sign("other", ours, { names: "DNS:other", days: -1 });
    Deno.writeTextFileSync(
      `${made.directory}/broken.pem`,
      Deno.readTextFileSync(app.cert).replace(/^MII/m, "AAA"),
    );
    Deno.writeTextFileSync(`${made.directory}/empty.pem`, "");
    const file = `${made.directory}/tandem.yaml`;
    const said = async (...lines: string[]) => {
      const result = await loadConfig(pool('["app:1"]', ...lines), {
        file,
        node: null,
        context: null,
        env: () => undefined,
        files: certificateFiles(file),
      });
      const all = ["problems" in result ? result.problems : [], result.warnings].flat();
      return all.map((one) =>
        problemLine(one).replaceAll(`${made.directory}/`, "").replace(/^tandem.yaml:/, "")
      );
    };
    assertEquals(await said("tls: { ca: ours.pem, clientCertificate: { cert: app.pem, key: app.key } }"), []);
    const both = [app.cert, app.key].map((path) => Deno.readTextFileSync(path)).join("");
    Deno.writeTextFileSync(`${made.directory}/both.pem`, both);
    assertEquals(await said("tls: { clientCertificate: { cert: both.pem, key: both.pem } }"), []);
    assertEquals(await said("tls:", "  ca: [ours.pem, missing.pem, empty.pem, broken.pem, app.pem]"), [
      "6:22: pools.app.tls.ca[1]: cannot be read: missing.pem: there is no such file",
      "6:35: pools.app.tls.ca[2]: has no certificate in PEM: empty.pem",
      "6:46: pools.app.tls.ca[3]: has a certificate that cannot be read: broken.pem",
      "6:58: pools.app.tls.ca[4]: has no certificate of an authority: app.pem",
    ]);
    assertEquals(await said("tls: { clientCertificate: { cert: app.pem, key: other.key } }"), [
      "5:53: pools.app.tls.clientCertificate.key: is not the key of the certificate in app.pem: other.key",
    ]);
    assertEquals(await said("tls: { clientCertificate: { cert: app.pem, key: app.pem } }"), [
      "5:53: pools.app.tls.clientCertificate.key: has no private key in PEM: app.pem",
    ]);
    assertEquals(await said("tls: { clientCertificate: { cert: ., key: app.key } }"), [
      "5:39: pools.app.tls.clientCertificate.cert: cannot be read: .: it is a directory",
    ]);
    const [expired] = await said(
      "check: { tls: { clientCertificate: { cert: other.pem, key: other.key } } }",
    );
    assert(
      /check\.tls\.clientCertificate\.cert: expired on \d{4}-\d\d-\d\d: other\.pem$/.test(expired ?? ""),
      expired,
    );
  },
);

Deno.test("buildSnapshot() protocol: h2 is offered by ALPN to traffic and http checks, and makes other slots", async () => {
  const rows = allocator();
  const app = async (...lines: string[]) =>
    (await built(pool('["a.internal:1"]', ...lines), {}, rows)).pools[0]!;
  const http2 = await app("protocol: h2", "tls: true", "check: { type: http }");
  assertEquals([http2.http2, http2.tls!.alpn, http2.check!.tls!.alpn], [true, ["h2"], ["h2"]]);
  assertEquals(http2.check!.http2, true);
  const apart = await app("protocol: h2", "tls: true", "check: { type: http, port: 8081 }");
  assertEquals([apart.check!.http2, apart.check!.tls!.alpn], [undefined, []]);
  assertEquals((await app("tls: true")).http2, undefined);
  const slots = [await app("protocol: h2"), await app("protocol: http/1.1")].map((one) =>
    one.servers[0]!.slot
  );
  assertEquals(new Set(slots).size, 2);
});

Deno.test("checkServerTls() protocol: h2 and what cannot be had with it", async () => {
  assertEquals(await errors(poolWith("protocol: h2", "tls: { alpn: [http/1.1] }")), [
    "6:18 «[http/1.1]» pools.app.tls.alpn: must be h2, as that is what servers are spoken to in",
  ]);
  assertEquals(await errors(poolWith("protocol: h2", "proxyProtocol: v2")), [
    "6:5 «proxyProtocol» pools.app.proxyProtocol: cannot be had with protocol: h2, as one connection carries the requests of many clients",
  ]);
  assertEquals(await errors(poolWith("protocol: h3")), [
    '5:15 «h3» pools.app.protocol: must be one of http/1.1, h2, not "h3"; did you mean "h2"?',
  ]);
});
