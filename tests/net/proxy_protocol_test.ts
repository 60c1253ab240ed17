/** The PROXY protocol against its specification: each header whole, split at every point, and what is wrong with bad ones. */
import fc from "fast-check";
import { formatIp } from "../../mod/base/address.ts";
import { fromLatin1, latin1 } from "../../mod/http/grammar.ts";
import {
  type Endpoint,
  localProxyHeader,
  MAX_PROXY_HEADER_BYTES,
  type ProxyHeader,
  readProxyHeader,
  TLV_ALPN,
  TLV_AUTHORITY,
  TLV_CRC32C,
  TLV_UNIQUE_ID,
  writeProxyHeader,
  writeProxyLine,
} from "../../mod/net/proxy_protocol.ts";
import { assertEquals } from "../assert.ts";

const V2 = "\r\n\r\n\0\r\nQUIT\n";
const SOURCE = { host: "192.0.2.7", port: 56324 }, DESTINATION = { host: "198.51.100.1", port: 443 };
const SOURCE6 = { host: "2001:db8::7", port: 1 }, DESTINATION6 = { host: "::1", port: 65535 };

function read(bytes: Uint8Array): ProxyHeader {
  const result = readProxyHeader(bytes, 0, bytes.length);
  if (result.kind !== "header") throw new Error(JSON.stringify(result));
  return result.header;
}

/** Kind, or what is wrong; nothing may change when more bytes follow, and every shorter piece must ask for more. */
function verdict(text: string | Uint8Array): string {
  const bytes = typeof text === "string" ? fromLatin1(text) : text;
  const result = readProxyHeader(bytes, 0, bytes.length);
  return result.kind === "bad" ? result.problem : result.kind;
}

/** Every shorter piece asks for more; the whole is the same in the midst of other bytes and before others. */
function wholeOnly(bytes: Uint8Array): ProxyHeader {
  const header = read(bytes);
  for (let end = 0; end < bytes.length; end++) {
    assertEquals(readProxyHeader(bytes, 0, end).kind, "more", `the first ${end} bytes`);
  }
  const amid = Uint8Array.of(1, 2, ...bytes, ...fromLatin1("GET / HTTP/1.1\r\n\r\n"));
  assertEquals(readProxyHeader(amid, 2, amid.length), { kind: "header", header });
  assertEquals(header.size, bytes.length);
  return header;
}

/** A version 2 header with the length that it has. */
function v2(versionAndCommand: number, family: number, content: readonly number[]): Uint8Array {
  const { length } = content;
  return Uint8Array.of(...fromLatin1(V2), versionAndCommand, family, length >> 8, length & 0xff, ...content);
}

const IPV4_CONTENT = [192, 0, 2, 7, 198, 51, 100, 1, 0xdc, 0x04, 0x01, 0xbb];

Deno.test("readProxyHeader() section 2.1: lines of both families", () => {
  const four = wholeOnly(fromLatin1("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n"));
  assertEquals([four.version, four.addresses], [1, { source: SOURCE, destination: DESTINATION }]);
  const six = wholeOnly(fromLatin1("PROXY TCP6 2001:DB8:0::7 0:0::1 1 65535\r\n"));
  assertEquals(six.addresses, { source: SOURCE6, destination: DESTINATION6 });
  const longest = `PROXY TCP6 ${"ffff:".repeat(8).slice(0, -1)} ${
    "ffff:".repeat(8).slice(0, -1)
  } 65535 65535\r\n`;
  assertEquals([longest.length, verdict(longest)], [104, "header"]);
});

Deno.test("readProxyHeader() section 2.1: UNKNOWN, whatever follows it, up to 107 bytes", () => {
  assertEquals(wholeOnly(fromLatin1("PROXY UNKNOWN\r\n")).addresses, null);
  assertEquals(wholeOnly(fromLatin1(`PROXY UNKNOWN ${"\xff".repeat(91)}\r\n`)).size, 107);
  assertEquals(verdict(`PROXY UNKNOWN ${"\xff".repeat(92)}\r\n`), "line");
  assertEquals(verdict(`PROXY UNKNOWN ${"x".repeat(92)}`), "more");
  assertEquals(verdict(`PROXY UNKNOWN ${"x".repeat(93)}`), "line");
});

Deno.test("readProxyHeader() section 2.1: what does not exactly match is refused", () => {
  const lines: Record<string, string> = {
    "TCP4 1.2.3.4 5.6.7.8 1 2\n": "more",
    "TCP4 1.2.3.4 5.6.7.8 1 2\rX": "line",
    "TCP4  1.2.3.4 5.6.7.8 1 2\r\n": "line",
    "TCP4 1.2.3.4 5.6.7.8 1 2 \r\n": "line",
    "TCP4 1.2.3.4 5.6.7.8 1\r\n": "addresses",
    "TCP4 1.2.3.04 5.6.7.8 1 2\r\n": "addresses",
    "TCP4 1.2.3.4 5.6.7.8 01 2\r\n": "addresses",
    "TCP4 1.2.3.4 5.6.7.8 1 65536\r\n": "addresses",
    "TCP4 1.2.3.4 5.6.7.8 -1 2\r\n": "addresses",
    "TCP4 ::1 ::2 1 2\r\n": "addresses",
    "TCP6 1.2.3.4 5.6.7.8 1 2\r\n": "addresses",
    "TCP6 fe80::1%eth0 ::2 1 2\r\n": "addresses",
    "tcp4 1.2.3.4 5.6.7.8 1 2\r\n": "line",
    "UDP4 1.2.3.4 5.6.7.8 1 2\r\n": "line",
    "UNKNOWNS\r\n": "line",
    "\r\n": "line",
  };
  for (const [line, expected] of Object.entries(lines)) {
    assertEquals(verdict(`PROXY ${line}`), expected, line);
  }
});

Deno.test("readProxyHeader() section 2: tells at the first byte that differs that there is no header", () => {
  for (
    const text of [
      "GET / HTTP/1.1\r\n",
      "PRI * HTTP/2.0",
      "PROXYTCP4",
      "\r\n\r\nGET",
      "\x16\x03\x01",
      `${V2.slice(0, -1)}X`,
    ]
  ) {
    assertEquals(verdict(text), "absent", text);
  }
});

Deno.test("readProxyHeader() section 2.2: TCP and UDP of both families, with UNIX and what is not told", () => {
  for (const transport of [1, 2]) {
    const four = wholeOnly(v2(0x21, 0x10 | transport, IPV4_CONTENT));
    assertEquals([four.version, four.addresses], [2, { source: SOURCE, destination: DESTINATION }]);
  }
  const six = [...new Uint8Array(10), 0xff, 0xff, 192, 0, 2, 7, ...new Uint8Array(15), 1, 0, 1, 0xff, 0xff];
  assertEquals(wholeOnly(v2(0x21, 0x21, six)).addresses, {
    source: { host: "192.0.2.7", port: 1 },
    destination: DESTINATION6,
  });
  assertEquals(wholeOnly(v2(0x21, 0x31, [...new Uint8Array(216)])).addresses, null);
  for (const family of [0x00, 0x01, 0x10, 0x20]) {
    assertEquals(
      wholeOnly(v2(0x21, family, [...new Uint8Array(40).fill(9)])).addresses,
      null,
      `family ${family}`,
    );
  }
});

Deno.test("readProxyHeader() section 2.2: LOCAL is skipped by its length, whatever it holds", () => {
  assertEquals(wholeOnly(v2(0x20, 0x00, [])).addresses, null);
  assertEquals(wholeOnly(v2(0x20, 0xff, [1, 2, 3])).addresses, null);
  assertEquals(wholeOnly(localProxyHeader()).addresses, null);
});

Deno.test("readProxyHeader() section 2.2: refuses other versions, commands, families and lengths", () => {
  assertEquals(verdict(v2(0x11, 0x11, IPV4_CONTENT)), "version");
  assertEquals(verdict(v2(0x22, 0x11, IPV4_CONTENT)), "version");
  assertEquals(verdict(v2(0x21, 0x41, IPV4_CONTENT)), "family");
  assertEquals(verdict(v2(0x21, 0x13, IPV4_CONTENT)), "family");
  assertEquals(verdict(v2(0x21, 0x11, IPV4_CONTENT.slice(1))), "addresses");
  assertEquals(verdict(v2(0x21, 0x21, IPV4_CONTENT)), "addresses");
  const largest = MAX_PROXY_HEADER_BYTES - 16;
  assertEquals(verdict(v2(0x20, 0, [...new Uint8Array(largest)])), "header");
  assertEquals(verdict(v2(0x20, 0, [...new Uint8Array(largest + 1)]).subarray(0, 16)), "tooLarge");
});

Deno.test("readProxyHeader() section 2.2.3: TLVs, and a checksum that must hold where there is one", () => {
  const tlvs = (...bytes: number[]) => v2(0x21, 0x11, [...IPV4_CONTENT, ...bytes]);
  const { tlvs: found } = wholeOnly(tlvs(4, 0, 2, 9, 9, 0xe0, 0, 0, 2, 0, 1, 0x61));
  assertEquals(found.map(({ type, value }) => [type, ...value]), [[4, 9, 9], [0xe0], [2, 0x61]]);
  for (const bad of [[4], [4, 0], [4, 0, 1], [4, 0, 1, 1, 5]]) assertEquals(verdict(tlvs(...bad)), "tlv");
  assertEquals(verdict(tlvs(TLV_CRC32C, 0, 4, 1, 2, 3, 4)), "checksum");
  assertEquals(verdict(tlvs(TLV_CRC32C, 0, 3, 1, 2, 3)), "checksum");
  const good = writeProxyHeader(SOURCE, DESTINATION, { checksum: true, authority: "a.test" });
  assertEquals(wholeOnly(good).addresses?.source, SOURCE);
  // Without the checksum's type it has none.
  const type = good.length - 7;
  for (let at = 16; at < good.length; at++) {
    if (at === type) continue;
    const wrong = good.slice();
    wrong[at]! ^= 1;
    assertEquals(readProxyHeader(wrong, 0, wrong.length).kind, "bad", `byte ${at}`);
  }
});

Deno.test("writeProxyLine() what the specification shows, and UNKNOWN for what is no address", () => {
  assertEquals(
    latin1(writeProxyLine({ host: "192.168.0.1", port: 56324 }, { host: "192.168.0.11", port: 443 }), 0, 46),
    "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r",
  );
  const text = (source: Endpoint, destination: Endpoint) =>
    latin1(writeProxyLine(source, destination), 0, 200).replace(/\0+$/, "");
  assertEquals(text(SOURCE6, DESTINATION6), "PROXY TCP6 2001:db8::7 ::1 1 65535\r\n");
  assertEquals(text(SOURCE, DESTINATION6), "PROXY TCP6 ::ffff:192.0.2.7 ::1 56324 65535\r\n");
  assertEquals(
    text({ host: "::ffff:192.0.2.7", port: 5 }, DESTINATION),
    "PROXY TCP4 192.0.2.7 198.51.100.1 5 443\r\n",
  );
  assertEquals(text({ host: "@", port: 5 }, DESTINATION), "PROXY UNKNOWN\r\n");
});

Deno.test("writeProxyHeader() tells name, protocol and id", () => {
  const uniqueId = Uint8Array.of(1, 0, 255);
  const header = read(writeProxyHeader(SOURCE, DESTINATION, { authority: "a.test", alpn: "h2", uniqueId }));
  assertEquals(header.tlvs, [
    { type: TLV_ALPN, value: fromLatin1("h2") },
    { type: TLV_AUTHORITY, value: fromLatin1("a.test") },
    { type: TLV_UNIQUE_ID, value: uniqueId },
  ]);
  assertEquals(read(writeProxyHeader({ host: "?", port: 1 }, DESTINATION)).addresses, null);
});

Deno.test("readProxyHeader() reads what is written, for any addresses", () => {
  const ip = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  ).map(formatIp);
  const endpoint = fc.record({ host: ip, port: fc.nat(65535) });
  fc.assert(fc.property(endpoint, endpoint, fc.boolean(), (source, destination, checksum) => {
    const expected = { source, destination };
    assertEquals(wholeOnly(writeProxyLine(source, destination)).addresses, expected);
    assertEquals(wholeOnly(writeProxyHeader(source, destination, { checksum })).addresses, expected);
  }));
});
