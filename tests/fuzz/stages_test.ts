/**
 * Neither reader ever throws, reads behind the end, or answers otherwise when the same bytes come in other pieces.
 * What a header reader accepts has a size within the bytes, and what a ClientHello says is a name or nothing.
 */
import { latin1 } from "../../mod/http/grammar.ts";
import { ClientHelloReader, type HelloRead } from "../../mod/net/client_hello.ts";
import { readProxyHeader, writeProxyHeader, writeProxyLine } from "../../mod/net/proxy_protocol.ts";
import { assert, assertEquals } from "../assert.ts";
import { extension, helloBytes } from "../net/hello_bytes.ts";
import { fuzz } from "./mutation.ts";

const text = (bytes: Uint8Array) => latin1(bytes, 0, bytes.length);

const HELLOS = [
  helloBytes({ sni: "a.example.test", alpn: ["h2", "http/1.1"], versions: [0x0304, 0x0303] }),
  helloBytes({ sni: "b.test", more: [extension(0x2a2a, [0])] }, 20),
  helloBytes({ alpn: ["acme-tls/1"] }, 3),
  helloBytes({ tail: [] }),
].map(text);

const FOUR = [{ host: "192.0.2.7", port: 1 }, { host: "198.51.100.1", port: 443 }] as const;
const SIX = [{ host: "2001:db8::7", port: 1 }, { host: "::1", port: 443 }] as const;
const HEADERS = [
  ...[FOUR, SIX].flatMap(([from, to]) => [
    writeProxyLine(from, to),
    writeProxyHeader(from, to),
    writeProxyHeader(from, to, { authority: "a.test", checksum: true }),
  ]).map(text),
  "PROXY UNKNOWN\r\nGET / HTTP/1.1\r\n\r\n",
];

function readHello(bytes: Uint8Array, ends: readonly number[]): HelloRead {
  const reader = new ClientHelloReader();
  for (const end of ends) {
    const read = reader.read(bytes.slice(0, end), 0, end);
    if (read.kind !== "more") return read;
  }
  return { kind: "more" };
}

Deno.test("ClientHelloReader.read() holds for mutated hellos", () => {
  fuzz(HELLOS, (message, random) => {
    const whole = readHello(message, [message.length]);
    const cut = Math.floor(random() * message.length);
    assertEquals(readHello(message, [cut, message.length]), whole);
    assertEquals(readHello(message, Array.from({ length: message.length }, (_, at) => at + 1)), whole);
    if (whole.kind === "hello") assert(/^[a-z0-9_.-]*$/.test(whole.hello.serverName));
  });
});

Deno.test("readProxyHeader() holds for mutated headers", () => {
  fuzz(HEADERS, (message, random) => {
    const whole = readProxyHeader(message, 0, message.length);
    if (whole.kind === "header") {
      const { size, addresses } = whole.header;
      assert(size > 0 && size <= message.length);
      for (const end of addresses === null ? [] : [addresses.source, addresses.destination]) {
        assert(/^[0-9a-f.:]+$/.test(end.host) && end.port >= 0 && end.port <= 65535);
      }
      assertEquals(readProxyHeader(message, 0, size), whole);
      assertEquals(readProxyHeader(message.slice(0, size - 1), 0, size - 1), { kind: "more" });
    }
    // Fewer bytes ask for more, or have the same fault already.
    const cut = Math.floor(random() * message.length);
    const part = readProxyHeader(message.slice(0, cut), 0, cut);
    if (part.kind !== "more") assertEquals(part, whole);
    else if (whole.kind === "more") assertEquals(part, whole);
  });
});
