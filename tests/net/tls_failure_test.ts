import { alertInWords, certificateFault, nameFault, OPENSSL_CODES } from "../../mod/net/tls_failure.ts";
import { assertEquals } from "../assert.ts";

Deno.test("certificateFault() has words of its own, or those of the library", () => {
  assertEquals(certificateFault("CERT_HAS_EXPIRED", "no"), "the server's certificate has expired");
  assertEquals(
    certificateFault(OPENSSL_CODES[20]!, "no"),
    "the server's certificate has an issuer that is unknown",
  );
  assertEquals(
    certificateFault("CERT_NEWLY_INVENTED", "of a new kind"),
    "the server's certificate is not accepted: of a new kind",
  );
});

Deno.test("nameFault() names what a certificate is for, in bounds and without control characters", () => {
  const start = "the server's certificate is not for app.internal";
  const told = (names: string) => nameFault("app.internal", names);
  assertEquals(told("DNS:a.b, IP Address:10.0.0.1"), `${start} but for a.b, 10.0.0.1`);
  assertEquals(told("DNS:a\nb\x1b[0m"), `${start} but for a?b?[0m`);
  assertEquals(told(`DNS:${"x".repeat(5000)}`), `${start} but for ${"x".repeat(200)}…`);
  assertEquals(told(""), start);
});

Deno.test("alertInWords() knows the alerts of RFC 8446", () => {
  assertEquals([alertInWords(70), alertInWords(120), alertInWords(250)], [
    "protocol version",
    "no application protocol",
    null,
  ]);
});
