import { X509Certificate } from "node:crypto";
import { integer, oid, readValue, time, value } from "../../mod/acme/der.ts";
import { base64url, Key, sha256 } from "../../mod/acme/keys_io.ts";
import { renewalParts } from "../../mod/acme/x509.ts";
import { assert, assertEquals } from "../assert.ts";
import { labTest } from "../lab/tools.ts";
import { Certificates, openssl } from "../net/openssl.ts";

const hex = (bytes: Uint8Array) => bytes.toHex();

Deno.test("value() writes lengths of every size, and readValue() reads them or says that they are not whole", () => {
  for (const size of [0, 1, 127, 128, 255, 256, 70_000]) {
    const bytes = value(4, new Uint8Array(size).fill(9));
    assertEquals(readValue(bytes, 0)?.content.length, size);
    assertEquals(readValue(bytes, 0)?.end, bytes.length);
    for (const cut of [1, 2, bytes.length - 1]) {
      if (cut < bytes.length) assertEquals(readValue(bytes.subarray(0, cut), 0), null, `${size} ${cut}`);
    }
  }
  assertEquals(readValue(Uint8Array.of(4, 0x80, 0, 0), 0), null, "of no length at all");
});

Deno.test("integer(), oid() and time() are as X.690 and RFC 5280 want them", () => {
  assertEquals(hex(integer([0x7f])), "02017f");
  assertEquals(hex(integer([0x80])), "02020080");
  assertEquals(hex(oid("1.2.840.10045.4.3.2")), "06082a8648ce3d040302");
  assertEquals(
    new TextDecoder().decode(time(Date.parse("2049-12-31T23:59:59Z")).subarray(2)),
    "491231235959Z",
  );
  assertEquals(
    new TextDecoder().decode(time(Date.parse("2050-01-01T00:00:00Z")).subarray(2)),
    "20500101000000Z",
  );
});

labTest("Key() makes requests and certificates that openssl takes", ["openssl"], async () => {
  await using made = await Certificates.make();
  const key = Key.make();
  const long = `${"a".repeat(60)}.${"b".repeat(60)}.example.com`;
  for (const name of ["shop.example.com", long]) {
    await Deno.writeFile(made.path("request.der"), key.request(name));
    const request = await openssl([
      "req",
      "-inform",
      "der",
      "-in",
      made.path("request.der"),
      "-noout",
      "-text",
      "-verify",
    ]);
    assert(request.text.includes("verify OK") && request.text.includes(`DNS:${name}`), request.text);
    const now = Date.now();
    const pem = key.certificate({ name, from: now, until: now + 60_000 });
    await Deno.writeTextFile(made.path("own.pem"), pem);
    const verified = await openssl(["verify", "-CAfile", made.path("own.pem"), made.path("own.pem")]);
    assert(verified.text.includes("OK"), verified.text);
    assert(new X509Certificate(pem).checkHost(name) !== undefined && key.isFor(new X509Certificate(pem)));
  }
  const challenge = sha256("token.thumbprint");
  const proof = key.certificate({ name: "a.test", from: 0, until: Date.now(), challenge });
  await Deno.writeTextFile(made.path("proof.pem"), proof);
  const { text } = await openssl(["asn1parse", "-in", made.path("proof.pem")]);
  assert(text.includes("1.3.6.1.5.5.7.1.31") && text.includes(`0420${hex(challenge).toUpperCase()}`), text);
  assertEquals(Key.tryRead(key.pem)?.thumbprint, key.thumbprint);
  await made.issue("large", { kind: "rsa" });
  for (const text of ["", "garbage", made.text("large.key")]) assertEquals(Key.tryRead(text), null);
});

labTest("renewalParts() finds what names a certificate to its authority", ["openssl"], async () => {
  await using made = await Certificates.make();
  await made.issue("authority");
  await made.issue("shop", { by: "authority" });
  const certificate = new X509Certificate(made.text("shop.pem"));
  const { issuer, serial } = renewalParts(certificate.raw)!;
  const { text } = await openssl([
    "x509",
    "-in",
    made.path("authority.pem"),
    "-noout",
    "-ext",
    "subjectKeyIdentifier",
  ]);
  assert(text.replaceAll(":", "").includes(hex(issuer).toUpperCase()), text);
  assertEquals(BigInt(`0x${hex(serial)}`), BigInt(`0x${certificate.serialNumber}`));
  for (let size = 0; size < certificate.raw.length; size += 7) {
    renewalParts(certificate.raw.subarray(0, size));
  }
});

Deno.test("base64url() has no letters that mean something in an address", () => {
  assertEquals(base64url(Uint8Array.of(0xfb, 0xff, 0xfe, 0x01)), "-__-AQ");
});
