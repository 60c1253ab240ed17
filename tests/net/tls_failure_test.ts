import { tlsFailure } from "../../mod/net/tls_failure.ts";
import { assertEquals } from "../assert.ts";

function told(code: string | undefined, message: string): string | null {
  const error = Object.assign(new Error(message), code === undefined ? {} : { code });
  const failure = tlsFailure(error, "app.internal");
  return failure === null ? null : `${failure.untrusted ? "untrusted" : "failed"}: ${failure.message}`;
}

Deno.test("tlsFailure() tells a bad certificate from a handshake that failed, and both from the rest", () => {
  assertEquals(
    told("CERT_HAS_EXPIRED", "certificate has expired"),
    "untrusted: the server's certificate has expired",
  );
  assertEquals(
    told("CERT_NEWLY_INVENTED", "of a new kind"),
    "untrusted: the server's certificate is not accepted: of a new kind",
  );
  assertEquals(
    told("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "received fatal alert: ProtocolVersion"),
    "failed: the server refused the TLS handshake: protocol version",
  );
  assertEquals(
    told("ERR_SSL_WRONG_VERSION_NUMBER", "received corrupt message of type InvalidContentType"),
    "failed: the server does not speak TLS on this port",
  );
  assertEquals(told("ERR_SSL_WHATEVER", "a word"), "failed: the TLS handshake failed: a word");
  assertEquals(told("ECONNREFUSED", "connection refused"), null);
  assertEquals(told(undefined, "anything"), null);
});

Deno.test("tlsFailure() names what a certificate is for, in bounds and without control characters", () => {
  const message = (names: string) =>
    `Hostname/IP does not match certificate's altnames: Host: app.internal. is not in the cert's altnames: ${names}`;
  const code = "ERR_TLS_CERT_ALTNAME_INVALID";
  const start = "untrusted: the server's certificate is not for app.internal but for ";
  assertEquals(told(code, message("DNS:a.b, IP Address:10.0.0.1")), `${start}a.b, 10.0.0.1`);
  assertEquals(told(code, message("DNS:a\nb\x1b[0m")), `${start}a?b?[0m`);
  assertEquals(told(code, message(`DNS:${"x".repeat(5000)}`)), `${start}${"x".repeat(200)}…`);
  assertEquals(
    told(code, "Cert does not contain a DNS name"),
    "untrusted: the server's certificate is not for app.internal",
  );
});
