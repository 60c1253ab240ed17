/** ClientHellos whole, in any pieces and over any records; what OpenSSL sends; what is wrong with bad ones. */
import fc from "fast-check";
import { ClientHelloReader, type HelloRead, MAX_CLIENT_HELLO_BYTES } from "../../mod/net/client_hello.ts";
import { fromLatin1 } from "../../mod/http/grammar.ts";
import { assert, assertEquals } from "../assert.ts";
import { labTest, requireTool } from "../lab/tools.ts";
import {
  type Bytes,
  extension,
  helloBytes,
  helloMessage,
  type HelloParts,
  records,
  sniExtension,
  text,
  u16,
  vector16,
  vector8,
} from "./hello_bytes.ts";

/** Feeds a growing buffer, as a stage does; every piece ends at one of `cuts`, and the last at the end. */
function feed(bytes: Uint8Array, cuts: readonly number[] = []): HelloRead {
  const reader = new ClientHelloReader();
  for (const cut of [...cuts, bytes.length]) {
    // In the middle of something larger, and never beyond what has come.
    const place = new Uint8Array(cut + 7).fill(0xee);
    place.set(bytes.subarray(0, cut), 3);
    const read = reader.read(place, 3, 3 + cut);
    if (read.kind !== "more") return read;
  }
  return { kind: "more" };
}

const everyByte = (bytes: Uint8Array) => Array.from({ length: bytes.length }, (_, at) => at);

function hello(
  parts: HelloParts,
): { serverName: string; protocols: readonly string[]; versions: readonly number[] } {
  const read = feed(helloBytes(parts));
  if (read.kind !== "hello") throw new Error(JSON.stringify(read));
  return read.hello;
}

function problem(message: Bytes | Uint8Array): string {
  const read = feed(message instanceof Uint8Array ? message : records(message));
  return read.kind === "bad" ? read.problem : read.kind;
}

const FULL: HelloParts = {
  sni: "Shop.Example.org",
  alpn: ["h2", "http/1.1"],
  versions: [0x7a7a, 0x0304, 0x0303],
  more: [extension(0x1a1a, []), extension(0xff01, [0])],
  session: Array.from({ length: 32 }, () => 7),
};
const READ = {
  kind: "hello",
  hello: { serverName: "shop.example.org", protocols: ["h2", "http/1.1"], versions: [0x0304, 0x0303] },
} as const;

Deno.test("ClientHelloReader.read() the same whole, split at every point, and byte by byte", () => {
  for (const size of [16384, 100, 5, 3, 1]) {
    const bytes = helloBytes(FULL, size);
    assertEquals(feed(bytes), READ);
    for (let cut = 0; cut <= bytes.length; cut++) assertEquals(feed(bytes, [cut]), READ, `cut at ${cut}`);
    assertEquals(feed(bytes, everyByte(bytes)), READ);
    assertEquals(feed(bytes.subarray(0, -1)).kind, "more");
  }
});

Deno.test("ClientHelloReader.read() leaves alone what follows the message", () => {
  const bytes = helloBytes(FULL);
  assertEquals(feed(Uint8Array.of(...bytes, 20, 3, 3, 0, 1, 1, 23, 3, 3)), READ);
  assertEquals(feed(records([...helloMessage(FULL), 2, 0, 0, 0])), READ);
});

Deno.test("ClientHelloReader.read() any message over any records in any pieces", () => {
  const label = fc.stringMatching(/^[a-zA-Z0-9]([a-zA-Z0-9-]{0,10}[a-zA-Z])?$/);
  const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => `${labels.join(".")}.test`);
  const protocol = fc.stringMatching(/^[a-z0-9/.]{1,10}$/);
  const parts = fc.record({
    sni: name,
    alpn: fc.array(protocol, { minLength: 1, maxLength: 5 }),
    versions: fc.array(fc.constantFrom(0x0304, 0x0303, 0x0302), { minLength: 1, maxLength: 5 }),
    more: fc.array(fc.integer({ min: 100, max: 40 * 100 }), { maxLength: 3 }).map((sizes) =>
      sizes.map((size, at) => extension(60 + at, Array.from({ length: size }, () => at)))
    ),
  });
  fc.assert(
    fc.property(parts, fc.integer({ min: 1, max: 3000 }), fc.array(fc.nat(15_000)), (given, size, places) => {
      const bytes = helloBytes(given, size);
      fc.pre(bytes.length < MAX_CLIENT_HELLO_BYTES);
      const cuts = places.filter((place) => place < bytes.length).sort((a, b) => a - b);
      assertEquals(feed(bytes, cuts), {
        kind: "hello",
        hello: { serverName: given.sni.toLowerCase(), protocols: given.alpn, versions: given.versions },
      });
    }),
  );
});

Deno.test("ClientHelloReader.read() RFC 5246: no extensions at all, and none of a name", () => {
  const none = { serverName: "", protocols: [], versions: [0x0303] };
  assertEquals(hello({ tail: [] }), none);
  assertEquals(hello({}), none);
  assertEquals(hello({ legacyVersion: 0x0301 }).versions, [0x0301]);
});

Deno.test("ClientHelloReader.read() RFC 6066 section 3: one host name, no address, no dot at the end", () => {
  assertEquals(hello({ sni: "10.0.0.1" }).serverName, "");
  assertEquals(hello({ sni: "2001:db8::1" }).serverName, "");
  assertEquals(hello({ sni: "xn--bcher-kva.example" }).serverName, "xn--bcher-kva.example");
  assertEquals(hello({ more: [sniExtension([1, "x"], [0, "a.test"], [9, "y"])] }).serverName, "a.test");
  assertEquals(hello({ more: [sniExtension([1, "x"])] }).serverName, "");
  for (const name of ["a.test.", "a b", "a\0.test", "b\xfccher.test", "*.a.test", "a..test", "-", "a\n"]) {
    assertEquals(problem(helloMessage({ sni: name })), "serverName", name);
  }
  const entries: [string, Bytes][] = [
    ["two names", sniExtension([0, "a.test"], [0, "b.test"])],
    ["an empty name", sniExtension([0, ""])],
    ["no list", extension(0, [])],
    ["an empty list", extension(0, [0, 0])],
    ["bytes behind the list", extension(0, [...vector16([0, ...vector16(text("a.test"))]), 0])],
    ["a list that is too long", extension(0, [0, 20, 0, ...vector16(text("a.test"))])],
    ["a name that is too long", extension(0, vector16([0, 0, 9, ...text("a.test")]))],
  ];
  for (const [what, bytes] of entries) {
    assertEquals(problem(helloMessage({ more: [bytes] })), "serverName", what);
  }
});

Deno.test("ClientHelloReader.read() RFC 7301 section 3.1 and RFC 8701: protocols, without what means nothing", () => {
  assertEquals(hello({ alpn: ["\x0a\x0a", "h2", "\xfa\xfa", "\x0a\x1a"] }).protocols, ["h2", "\x0a\x1a"]);
  for (const content of [[], [0, 0], vector16([0]), vector16([3, 1, 2]), [...vector16(vector8([1])), 1]]) {
    assertEquals(problem(helloMessage({ more: [extension(16, content)] })), "protocols");
  }
});

Deno.test("ClientHelloReader.read() RFC 8446 section 4.2.1: versions", () => {
  for (const content of [[], [0], [1, 3], [3, 3, 4, 3], [2, 3, 4, 0]]) {
    assertEquals(problem(helloMessage({ more: [extension(43, content)] })), "versions");
  }
});

Deno.test("ClientHelloReader.read() RFC 8446 section 4.2: one extension of a type, and none cut short", () => {
  const one = sniExtension([0, "a.test"]);
  assertEquals(problem(helloMessage({ more: [one, one] })), "extensions");
  assertEquals(problem(helloMessage({ more: [extension(99, []), extension(99, [])] })), "extensions");
  assertEquals(problem(helloMessage({ tail: [0] })), "extensions");
  assertEquals(problem(helloMessage({ tail: [...vector16(one), 0] })), "extensions");
  assertEquals(problem(helloMessage({ tail: vector16([...one, 0, 1, 0]) })), "extensions");
  assertEquals(problem(helloMessage({ tail: vector16([0, 1, 0, 9, 1]) })), "extensions");
});

Deno.test("ClientHelloReader.read() a body that ends early, or has impossible lengths", () => {
  const { length } = helloMessage({ tail: [] });
  for (let end = 4; end < length; end++) {
    const cut = helloMessage({ tail: [] }).slice(0, end);
    assertEquals(problem([1, 0, ...u16(end - 4), ...cut.slice(4)]), "body", `ends at ${end}`);
  }
  assertEquals(problem(helloMessage({ session: Array.from({ length: 33 }, () => 0) })), "body");
});

Deno.test("ClientHelloReader.read() RFC 8446 section 5.1: records", () => {
  assertEquals(problem(Uint8Array.of(22, 3, 1, 0, 0)), "record");
  assertEquals(problem(Uint8Array.of(22, 3, 1, 0x40, 1, 1)), "record");
  const [first] = [records(helloMessage(FULL), 50).subarray(0, 55)];
  assertEquals(problem(Uint8Array.of(...first, 23)), "record", "another kind amid the message");
  assertEquals(problem(Uint8Array.of(...first, 22, 3, 1, 0, 0)), "record");
  assertEquals(problem(records([2, 0, 0, 0])), "handshake");
});

Deno.test("ClientHelloReader.read() tells at the first byte what is not TLS", () => {
  for (const other of ["G", "SSH-2.0", "PROXY ", "\0", "\x80\x2e\x01\x03\x01", "\x16G", "\x16\x02\0"]) {
    assertEquals(problem(fromLatin1(other)), "notTls", other);
  }
  assertEquals(problem(new Uint8Array(0)), "more");
});

Deno.test("ClientHelloReader.read() up to 16 KiB, records included", () => {
  const padded = (size: number, record?: number) => {
    const { length } = helloBytes({ more: [extension(21, [])] }, record);
    return helloBytes({ more: [extension(21, Array.from({ length: size - length }, () => 0))] }, record);
  };
  assertEquals(feed(padded(MAX_CLIENT_HELLO_BYTES)).kind, "hello");
  assertEquals(problem(padded(MAX_CLIENT_HELLO_BYTES + 1)), "tooLarge");
  assertEquals(
    problem(records(helloMessage({ more: [extension(21, Array.from({ length: 9000 }, () => 0))] }), 3)),
    "tooLarge",
  );
  assertEquals(problem(Uint8Array.of(22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff)), "tooLarge");
});

labTest("ClientHelloReader.read() what OpenSSL and curl send", ["openssl", "curl"], async () => {
  const tools = Object.fromEntries(
    ["openssl", "curl"].map((name) => [name, requireTool(name) as { path: string }]),
  );
  const client = (port: number, version: string) => [
    [
      "openssl",
      "s_client",
      "-connect",
      `127.0.0.1:${port}`,
      "-servername",
      "One.test",
      "-alpn",
      "h2,http/1.1",
      version,
    ],
    ["curl", "-sk", "-m", "5", "--resolve", `one.test:${port}:127.0.0.1`, `https://one.test:${port}/`],
  ];
  for (const [at, version] of [[0, "-tls1_3"], [0, "-tls1_2"], [1, "-tls1_3"]] as const) {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const [program, ...args] = client(listener.addr.port, version)[at]!;
    const process = new Deno.Command(tools[program!]!.path, {
      args,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const conn = await listener.accept();
    const buffer = new Uint8Array(MAX_CLIENT_HELLO_BYTES);
    const reader = new ClientHelloReader();
    let size = 0;
    let read: HelloRead = { kind: "more" };
    while (read.kind === "more") {
      size += (await conn.read(buffer.subarray(size)))!;
      read = reader.read(buffer, 0, size);
    }
    conn.close();
    listener.close();
    await process.status;
    assert(read.kind === "hello", JSON.stringify(read));
    assertEquals(read.hello.serverName, "one.test");
    assertEquals(read.hello.protocols, ["h2", "http/1.1"]);
    assertEquals(read.hello.versions.includes(0x0304), version === "-tls1_3");
  }
});
