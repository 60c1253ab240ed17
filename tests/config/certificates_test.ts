/** What is wrong with a certificate's files is told where the configuration names them, and never shows a key. */
import { readTlsFiles } from "../../mod/config/certificates.ts";
import { certificateReader } from "../../mod/config/certificates_io.ts";
import { assert, assertEquals, assertNotEquals } from "../assert.ts";
import { labTest } from "../lab/tools.ts";
import { Certificates, openssl } from "../net/openssl.ts";
import { errors, good, listenerWith, load, warnings } from "./reading.ts";

/** A minute on: what is made while the tests run is valid by then, also on a slow machine. */
const NOW = Date.now() + 60_000;
const DAY_MS = 24 * 3600 * 1000;

/** A listener whose certificates are these pairs; the first stands in line 5. */
function withPairs(...pairs: readonly (readonly [cert: string, key: string])[]): string {
  const list = pairs.map(([cert, key]) => `{ cert: ${cert}, key: ${key} }`).join(", ");
  return listenerWith(`tls: { certificates: [${list}] }`, "pool: app");
}

async function files(): Promise<Certificates> {
  const made = await Certificates.make();
  await made.issue("shop", { names: ["shop.test", "*.Shop.test"] });
  await made.issue("other");
  return made;
}

labTest(
  "checkTlsFiles() reads names, expiry and fingerprint of a good certificate",
  ["openssl"],
  async () => {
    await using made = await files();
    const certificates = certificateReader(made.path("tandem.yaml"), Date.now);
    const result = await load(withPairs(["shop.pem", "shop.key"]), { certificates });
    assert("config" in result);
    assertEquals(result.warnings, []);
    const read = result.certificates.certificate("shop.pem", "shop.key");
    assertEquals(read.names, ["shop.test", "*.shop.test"]);
    assertEquals(read.certFile, made.path("shop.pem"));
    assert(Math.abs(read.expiresAt - NOW - 90 * DAY_MS) < DAY_MS);
    assertEquals(read.fingerprint.length, 64);
    assertEquals(read.key, made.text("shop.key"));
  },
);

labTest("checkTlsFiles() says every problem at its place, with the file", ["openssl"], async () => {
  await using made = await files();
  await Deno.writeTextFile(made.path("empty.pem"), "");
  await Deno.writeTextFile(
    made.path("broken.pem"),
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
  );
  const certificates = certificateReader(made.path("tandem.yaml"), Date.now);
  const told = await errors(
    withPairs(
      ["shop.pem", "other.key"],
      ["nope.pem", "nope.key"],
      ["empty.pem", "shop.pem"],
      ["broken.pem", "shop.key"],
      [".", "shop.key"],
    ),
    { certificates },
  );
  const at = (name: string) => made.path(name);
  assertEquals(told.map((line) => line.replace(/^\d+:\d+ /, "")), [
    `«other.key» listeners[0].tls.certificates[0].key: the key in ${
      at("other.key")
    } does not belong to the certificate in ${at("shop.pem")}`,
    `«nope.pem» listeners[0].tls.certificates[1].cert: cannot read ${at("nope.pem")}: there is no such file`,
    `«nope.key» listeners[0].tls.certificates[1].key: cannot read ${at("nope.key")}: there is no such file`,
    `«empty.pem» listeners[0].tls.certificates[2].cert: ${at("empty.pem")} holds no certificate (PEM)`,
    `«shop.pem» listeners[0].tls.certificates[2].key: ${at("shop.pem")} holds no private key (PEM)`,
    `«broken.pem» listeners[0].tls.certificates[3].cert: ${
      at("broken.pem")
    } is broken: its certificate number 1 cannot be read`,
    `«.» listeners[0].tls.certificates[4].cert: cannot read ${made.directory}: it is a directory`,
  ]);
  assert(told.every((line) => line.startsWith("4:")), told.join("\n"));
  const secret = made.text("shop.key").split("\n")[1]!;
  assert(!told.join("\n").includes(secret), "a key is never shown");
});

labTest(
  "checkTlsFiles() refuses keys that the runtime's TLS cannot use, and encrypted ones",
  ["openssl"],
  async () => {
    await using made = await Certificates.make();
    await made.issue("strong", { kind: "p521" });
    await made.issue("shop", { kind: "rsa" });
    await openssl([
      "pkcs8",
      "-topk8",
      "-in",
      made.path("shop.key"),
      "-out",
      made.path("locked.key"),
      "-passout",
      "pass:secret",
    ]);
    await made.issue("modern", { kind: "ed25519" });
    const certificates = certificateReader(made.path("tandem.yaml"), Date.now);
    const told = await errors(
      withPairs(
        ["shop.pem", "locked.key"],
        ["modern.pem", "modern.key"],
        ["shop.pem", "shop.key"],
        ["strong.pem", "strong.key"],
      ),
      { certificates },
    );
    assertEquals(told.length, 1, told.join("\n"));
    assert(told[0]!.includes("locked.key is encrypted"), told[0]!);
  },
);

labTest("checkTlsFiles() warns of what is expired, not yet valid, nameless or in the wrong order", [
  "openssl",
], async () => {
  await using made = await files();
  await made.issue("nameless", { names: [], subject: "/O=Somebody" });
  await Deno.writeTextFile(made.path("chain.pem"), made.text("shop.pem") + made.text("other.pem"));
  const at = async (now: number, ...pairs: [string, string][]) =>
    (await warnings(withPairs(...pairs), {
      certificates: certificateReader(made.path("tandem.yaml"), () => now),
    })).map((line) => line.replace(/^.*certificates\[\d\]/, "").replaceAll(made.directory, "DIR"));
  const until = new Date(NOW + 90 * DAY_MS).toISOString().slice(0, 10);
  const [expired] = await at(NOW + 91 * DAY_MS, ["shop.pem", "shop.key"]);
  assertEquals(expired, `.cert: DIR/shop.pem has expired on ${until}`);
  const [early] = await at(NOW - 2 * DAY_MS, ["shop.pem", "shop.key"]);
  assert(early!.startsWith(".cert: DIR/shop.pem is valid from "), early!);
  assertEquals(await at(NOW + 60_000, ["nameless.pem", "nameless.key"]), [
    ".cert: DIR/nameless.pem is for no name that a client could ask for",
  ]);
  assertEquals(await at(NOW + 60_000, ["chain.pem", "shop.key"]), [
    ".cert: DIR/chain.pem: its certificate number 2 is not the issuer of the one before it",
  ]);
});

labTest("checkTlsFiles() reads the authorities of clients", ["openssl"], async () => {
  await using made = await files();
  const certificates = certificateReader(made.path("tandem.yaml"), () => NOW);
  const listener = (ca: string) =>
    listenerWith(
      `tls: { certificates: [{ cert: shop.pem, key: shop.key }], clientAuth: { ca: ${ca} } }`,
      "pool: app",
    );
  assertEquals(await errors(listener("other.pem"), { certificates }), []);
  const [told] = await errors(listener("other.key"), { certificates });
  assert(told!.includes("clientAuth.ca: ") && told!.includes("holds no certificate"), told!);
});

labTest("examples/https.yaml is good beside the files that it names", ["openssl"], async () => {
  await using made = await Certificates.make();
  for (const name of ["shop", "api", "partners-ca"]) await made.issue(name);
  const file = made.path("https.yaml");
  const text = await Deno.readTextFile(new URL("../../examples/https.yaml", import.meta.url));
  const certificates = certificateReader(file, Date.now);
  assertEquals(await errors(text, { certificates }), []);
  assertEquals(
    (await warnings(text, { certificates })).filter((line) => !line.includes("is valid from")),
    [],
  );
  await Deno.remove(made.path("api.key"));
  assertEquals((await errors(text, { certificates })).length, 2, "two listeners name it");
});

labTest("stamp() changes with every way in which a file can be replaced", ["openssl"], async () => {
  await using made = await files();
  const reader = certificateReader(made.path("tandem.yaml"), () => NOW);
  const config = await good(withPairs(["shop.pem", "shop.key"]));
  const stamps = [await reader.stamp(config)];
  const { mtime, atime } = await Deno.stat(made.path("shop.pem"));
  await Deno.copyFile(made.path("other.pem"), made.path("new.pem"));
  await Deno.utime(made.path("new.pem"), atime!, mtime!);
  await Deno.rename(made.path("new.pem"), made.path("shop.pem"));
  stamps.push(await reader.stamp(config));
  await Deno.remove(made.path("shop.key"));
  stamps.push(await reader.stamp(config));
  assertEquals(new Set(stamps).size, 3);
  assertEquals((await readTlsFiles(config, reader)).problems.length, 1);
});

labTest("readTlsFiles() has what was before in the place of a bad file, and what is new of others", [
  "openssl",
], async () => {
  await using made = await files();
  const reader = certificateReader(made.path("tandem.yaml"), () => NOW);
  const config = await good(withPairs(["shop.pem", "shop.key"], ["other.pem", "other.key"]));
  const { files: before } = await readTlsFiles(config, reader);
  await Deno.writeTextFile(made.path("shop.key"), "nothing");
  await made.issue("other");
  const { files: after, problems } = await readTlsFiles(config, reader, before);
  assertEquals(problems.map(({ path }) => path.join(".")), ["listeners.0.tls.certificates.0.key"]);
  assertEquals(after.certificate("shop.pem", "shop.key"), before.certificate("shop.pem", "shop.key"));
  assertNotEquals(after.certificate("other.pem", "other.key"), before.certificate("other.pem", "other.key"));
});

Deno.test("TlsSchema() says what is allowed", async () => {
  assertEquals(
    await errors(listenerWith(
      "tls: { certificates: [], minVersion: 1.1, clientAuth: { mode: maybe, ca: x } }",
      "pool: app",
    )),
    [
      "4:26 «[]» listeners[0].tls.certificates: must have at least one certificate",
      "4:42 «1.1» listeners[0].tls.minVersion: must be one of 1.2, 1.3, not 1.1",
      '4:67 «maybe» listeners[0].tls.clientAuth.mode: must be one of optional, required, not "maybe"',
    ],
  );
  const tls = "tls: { certificates: [{ cert: a, key: b }], minVersion: 1.3, alpn: [h2, h3] }";
  const [alpn] = await errors(listenerWith(tls, "pool: app"));
  assert(alpn!.endsWith("listeners[0].tls.alpn[1]: is not spoken here: h2 and http/1.1 are"), alpn!);
  assertEquals(await errors(listenerWith(tls, "pool: app", "protocol: tcp")), []);
});

Deno.test("HstsSchema() takes a time or a map, and is for TLS only", async () => {
  const tls = "tls: { certificates: [{ cert: a, key: b }] }";
  const hsts = async (value: string) =>
    (await good(listenerWith("pool: app", tls, `hsts: ${value}`))).listeners[0]!.hsts;
  assertEquals(await hsts("365d"), { maxAge: 31_536_000, includeSubDomains: false, preload: false });
  assertEquals(await hsts("{ maxAge: 2h, preload: true }"), {
    maxAge: 7200,
    includeSubDomains: false,
    preload: true,
  });
  assertEquals((await errors(listenerWith("pool: app", tls, "hsts: 30"))).length, 1);
  const [warned] = await warnings(listenerWith("pool: app", "hsts: 1d"));
  assert(warned!.includes("has no effect without tls"), warned!);
});

Deno.test("redirectHttps stands instead of pool and routes, and only for http", async () => {
  const [listener] = (await good(listenerWith("redirectHttps: true"))).listeners;
  assertEquals(listener!.routes[0]!.action, { kind: "https", port: 443 });
  const [other] = (await good(listenerWith("redirectHttps: 8443"))).listeners;
  assertEquals(other!.routes[0]!.action, { kind: "https", port: 8443 });
  assertEquals(
    (await good(listenerWith("redirectHttps: false", "pool: app"))).listeners[0]!.routes[0]!.action,
    {
      kind: "pool",
      pool: "app",
    },
  );
  for (
    const [lines, says] of [
      [["redirectHttps: true", "pool: app"], "cannot have redirectHttps beside pool or routes"],
      [["redirectHttps: false"], "must have either pool or routes, and has neither"],
      [["redirectHttps: true", "protocol: tcp"], "cannot stand on a tcp listener"],
      [["redirectHttps: 70000"], "redirectHttps"],
    ] as const
  ) {
    const told = await errors(listenerWith(...lines));
    assert(told.length > 0 && told.every((line) => line.includes(says)), told.join("\n"));
  }
});
