/** What files hold outlives a balancer: it is the same again, and stands before what is on disk by then. */
import type { CertificateReader } from "../../mod/config/certificates.ts";
import { TlsFiles } from "../../mod/config/certificates.ts";
import {
  heldCertificatesOr,
  heldFiles,
  heldOr,
  heldText,
  MAX_HELD_CHARS,
} from "../../mod/config/held_files.ts";
import type { CertificateSnapshot } from "../../mod/config/snapshot.ts";
import { assert, assertEquals } from "../assert.ts";

const CERTIFICATE: CertificateSnapshot = {
  ...{ certFile: "/etc/a.pem", cert: "PEM", key: "KEY", names: ["a.test"], issuer: "CN=x", expiresAt: 5 },
  fingerprint: "ab",
};

function held() {
  const tls = new TlsFiles();
  tls.addCertificate({ cert: "a.pem", key: "a.key" }, CERTIFICATE);
  tls.addAuthorities("ca.pem", "CA");
  tls.addHad("b.test", { ...CERTIFICATE, had: "acme" });
  return { texts: new Map([["page.html", "sorry"]]), tls };
}

Deno.test("heldFiles() reads what heldText() wrote, and nothing else", () => {
  const read = heldFiles(heldText(held())!);
  assert(read !== null);
  assertEquals([...read.texts], [["page.html", "sorry"]]);
  assertEquals(read.tls.content, held().tls.content);
  for (const text of ["", "{}", "null", '{"texts":[],"tls":{}}', "[1]"]) assertEquals(heldFiles(text), null);
});

Deno.test("heldText() keeps nothing beyond its bound", () => {
  const texts = new Map([["page.html", "x".repeat(MAX_HELD_CHARS)]]);
  assertEquals(heldText({ texts, tls: new TlsFiles() }), null);
});

Deno.test("heldOr() reads what is held, whatever is on disk, and asks for the rest", async () => {
  const asked: string[] = [];
  const reader = heldOr(held(), {
    read: (path) => (asked.push(path), { problem: "is gone" }),
    belong: () => true,
  });
  assertEquals(reader.read("page.html", "page"), { text: "sorry", warning: null });
  assertEquals(reader.read("new.html", "page"), { problem: "is gone" });
  const disk: CertificateReader = {
    certificate: (
      cert,
    ) => (asked.push(cert), Promise.resolve({ certificate: null, problems: [], warnings: [] })),
    authorities: (file) => (asked.push(file), Promise.resolve({ problem: "is gone" })),
    stamp: () => Promise.resolve(""),
  };
  const certificates = heldCertificatesOr(held(), disk);
  assertEquals((await certificates.certificate("a.pem", "a.key")).certificate, CERTIFICATE);
  assertEquals((await certificates.certificate("a.pem", "b.key")).certificate, null);
  assertEquals(await certificates.authorities("ca.pem"), { pem: "CA" });
  assertEquals(await certificates.authorities("other.pem"), { problem: "is gone" });
  assertEquals(asked, ["new.html", "a.pem", "other.pem"]);
});
