/**
 * Tries in memory what listeners rely on of the runtime's TLS: that text passes, that a least version holds, and that
 * clients without a good certificate are refused. A listener whose promises the runtime does not keep must not start.
 */
import { clientCodec, type ContextTerms, serverCodec, tlsAvailable, tlsContext } from "./rustls_io.ts";
import type { TlsFacts } from "./tls.ts";
import { VerifiedClients } from "./verified_clients.ts";

/** What came of one handshake in memory, as the server sees it. */
interface Outcome {
  readonly facts: TlsFacts | null;
  readonly text: string;
  readonly fault: string | null;
}

/** What is wrong with the runtime's TLS, or null. Takes some milliseconds. */
export function tryTls(): string | null {
  if (!tlsAvailable()) return "this version of the runtime has no TLS that Tandem knows how to use";
  const plain = { cert: AUTHORITY, key: KEY };
  const guarded = { ...plain, ca: AUTHORITY, clientAuth: "required" } as const;
  const anyone = { ca: AUTHORITY };
  const client = { ...anyone, cert: CLIENT, key: KEY };
  try {
    const passed = shake(plain, anyone);
    if (passed.text !== WORDS || passed.facts?.serverName !== SERVER_NAME) return "text does not pass";
    if (shake({ ...plain, minVersion: "1.3" }, { ...anyone, maxVersion: "1.2" }).fault === null) {
      return "the runtime does not hold to the least version";
    }
    for (const version of ["1.2", "1.3"] as const) {
      const only = { maxVersion: version, minVersion: version };
      const served = [
        { ...anyone, ...only },
        { ...anyone, cert: STRANGER, key: KEY, ...only },
      ].some((terms) => shake(guarded, terms).facts !== null);
      if (served) return "the runtime does not refuse clients without a good certificate";
      const good = shake(guarded, { ...client, ...only });
      if (good.facts?.client?.subject !== "CN=trial client") {
        return "the runtime refuses good certificates of clients";
      }
    }
    return null;
  } catch (error) {
    return `the runtime's TLS fails: ${(error as Error).message}`;
  }
}

/** One handshake in memory, and a few words from the client. */
function shake(serverTerms: ContextTerms, clientTerms: ContextTerms): Outcome {
  let facts: TlsFacts | null = null;
  let text = "";
  let fault: string | null = null;
  let joined = false;
  const chosen = tlsContext(serverTerms);
  const toClient: Uint8Array[] = [];
  const toServer: Uint8Array[] = [];
  const server = serverCodec(
    {
      alpn: [],
      choose: () => chosen,
      clientAuth: serverTerms.clientAuth ?? null,
      verified: new VerifiedClients(),
    },
    {
      onSecure: (found) => facts = found,
      onText: ({ bytes }, size) => text += new TextDecoder().decode(bytes.subarray(0, size)),
      onBytes: ({ bytes }, size) => toClient.push(bytes.subarray(0, size)),
      onTextEnd() {},
      onFault: (reason) => fault = reason,
    },
  );
  const context = tlsContext(clientTerms);
  const client = clientCodec({ context, name: SERVER_NAME, verify: false, alpn: [] }, {
    onSecure: () => joined = true,
    onText() {},
    onBytes: ({ bytes }, size) => toServer.push(bytes.subarray(0, size)),
    onTextEnd() {},
    onFault: (reason) => fault ??= reason,
  });
  const pass = () => {
    while (toServer.length > 0 || toClient.length > 0) {
      for (const bytes of toServer.splice(0)) server.receive(bytes);
      for (const bytes of toClient.splice(0)) client.receive(bytes);
    }
  };
  pass();
  if (joined && fault === null) {
    client.write(new TextEncoder().encode(WORDS), WORDS.length);
    pass();
  }
  server.destroy();
  client.destroy();
  return { facts, text, fault };
}

const SERVER_NAME = "trial.test";
const WORDS = "is anybody there?";

// Valid for a hundred years. They protect nothing: the key is here for everybody to read.
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg3sxF73f6Th0TBlXs
yrIDbB9HIMaSJiWlQCI9XGLu2x2hRANCAAQ57e/YIdU4M0t11tLldfKQ+uk+7+O8
8Dhogfx2AqyhYTEOsi80sTXpReyqAOcxutv0Qum7vQelH+RWq9+5aw2m
-----END PRIVATE KEY-----
`;
const AUTHORITY = `-----BEGIN CERTIFICATE-----
MIIBojCCAUigAwIBAgIUG4AMT/QXP7lbmx6HpjXWvkoOpQAwCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPdHJpYWwgYXV0aG9yaXR5MCAXDTI2MTEyNTIzMTA1OFoYDzIx
MjYxMTAxMjMxMDU4WjAaMRgwFgYDVQQDDA90cmlhbCBhdXRob3JpdHkwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAAQ57e/YIdU4M0t11tLldfKQ+uk+7+O88Dhogfx2
AqyhYTEOsi80sTXpReyqAOcxutv0Qum7vQelH+RWq9+5aw2mo2owaDAdBgNVHQ4E
FgQU2XVHrDKuVPNdD9O8gAoqdtPPRWIwHwYDVR0jBBgwFoAU2XVHrDKuVPNdD9O8
gAoqdtPPRWIwDwYDVR0TAQH/BAUwAwEB/zAVBgNVHREEDjAMggp0cmlhbC50ZXN0
MAoGCCqGSM49BAMCA0gAMEUCIQC1ESN8M5I162XJn0e9aKx2S1W3njsQPAJ35PLs
sKl5AQIgUZpdoQpAkn7Ip2qicVzKgjLMH6Xen84yWjb8q4803AU=
-----END CERTIFICATE-----
`;
/** Signed by the authority. */
const CLIENT = `-----BEGIN CERTIFICATE-----
MIIBkTCCATegAwIBAgIUU+QVa+AXSIkGE0lyEWB5qRpJFUowCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPdHJpYWwgYXV0aG9yaXR5MCAXDTI2MTEyNTIzMTA1OFoYDzIx
MjYxMTAxMjMxMDU4WjAXMRUwEwYDVQQDDAx0cmlhbCBjbGllbnQwWTATBgcqhkjO
PQIBBggqhkjOPQMBBwNCAAQ57e/YIdU4M0t11tLldfKQ+uk+7+O88Dhogfx2Aqyh
YTEOsi80sTXpReyqAOcxutv0Qum7vQelH+RWq9+5aw2mo1wwWjAMBgNVHRMBAf8E
AjAAMBMGA1UdJQQMMAoGCCsGAQUFBwMCMBYGA1UdEQQPMA2CC2NsaWVudC50ZXN0
MB0GA1UdDgQWBBTZdUesMq5U810P07yACip2089FYjAKBggqhkjOPQQDAgNIADBF
AiEAr6qSL3eBMys/CQ8QQI6fkQOzgnyL2q0bJpqCIxU9ji0CIBiaw2x4UzDPF4RG
N4C+DnEP9OGpZvsY4fkxJpZ0rLOM
-----END CERTIFICATE-----
`;
/** Signed by itself. */
const STRANGER = `-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUZeX0YZrO3tbI3iu+Zy7MUG+iWUQwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOdHJpYWwgc3RyYW5nZXIwIBcNMjYxMTI1MjMxMDU4WhgPMjEy
NjExMDEyMzEwNThaMBkxFzAVBgNVBAMMDnRyaWFsIHN0cmFuZ2VyMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEOe3v2CHVODNLddbS5XXykPrpPu/jvPA4aIH8dgKs
oWExDrIvNLE16UXsqgDnMbrb9ELpu70HpR/kVqvfuWsNpqNlMGMwHQYDVR0OBBYE
FNl1R6wyrlTzXQ/TvIAKKnbTz0ViMB8GA1UdIwQYMBaAFNl1R6wyrlTzXQ/TvIAK
KnbTz0ViMAwGA1UdEwEB/wQCMAAwEwYDVR0lBAwwCgYIKwYBBQUHAwIwCgYIKoZI
zj0EAwIDRwAwRAIgbGZ3NIS4D71C/puB2eVFE9xgmkxIFSih0JCctJgJt70CIDC4
cCmcMZWq9tXDaEUemxa7BAEuq6RN3tkGj7eILmRw
-----END CERTIFICATE-----
`;
