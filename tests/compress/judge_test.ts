import { judge, type Wish, wishOf } from "../../mod/compress/judge.ts";
import type { CompressSnapshot } from "../../mod/config/snapshot.ts";
import { fromLatin1 } from "../../mod/http/grammar.ts";
import { DONE, Head, parseResponseHead } from "../../mod/http1/head.ts";
import { assert, assertEquals } from "../assert.ts";
import { factsOf } from "../files/facts.ts";

const POLICY: CompressSnapshot = {
  encodings: ["zstd", "br", "gzip"],
  types: ["text/html", "application/json", "font/*"],
  minSize: 1000,
  levels: { gzip: 4, br: 4, zstd: 3 },
};
const GZIP: Wish = { policy: POLICY, encoding: "gzip", known: "" };

/** What an answer becomes, in a few words. */
function outcome(fields: string, { status = 200, length = 5000, wish = GZIP } = {}): string {
  const bytes = fromLatin1(`HTTP/1.1 ${status} X\r\n${fields}\r\n`);
  const head = new Head();
  assertEquals(parseResponseHead(head, bytes, 0, bytes.length, 100), DONE);
  const edits = judge(wish, head, bytes, length);
  if (edits === null) return "as it is";
  return [
    edits.encoding ?? "plain",
    ...(edits.weakens ? ["weak"] : []),
    ...(edits.hidesLength ? [] : ["length"]),
    ...edits.removes.map((name) => `-${name}`),
    ...edits.lines.trim().split("\r\n"),
  ]
    .join("; ");
}

const HTML = "Content-Type: text/html; charset=utf-8\r\n";
const COMPRESSED = "gzip; weak; -accept-ranges; Content-Encoding: gzip; Vary: Accept-Encoding";

Deno.test("judge() compresses good answers of the chosen types from the least size on", () => {
  for (const type of ["text/html", "TEXT/HTML ;charset=x", "application/json", "font/otf"]) {
    assertEquals(outcome(`content-type: ${type}\r\n`), COMPRESSED, type);
  }
  for (const type of ["text/plain", "text/html2", "image/png", "font", "*/*", ""]) {
    assertEquals(outcome(`content-type: ${type}\r\n`), "as it is", type);
  }
  assertEquals(outcome(""), "as it is");
  for (
    const [length, what] of [[0, "as it is"], [999, "as it is"], [1000, COMPRESSED], [
      -1,
      COMPRESSED,
    ]] as const
  ) {
    assertEquals(outcome(HTML, { length }), what, String(length));
  }
  for (const status of [200, 201, 202, 203]) assertEquals(outcome(HTML, { status }), COMPRESSED);
  for (const status of [204, 301, 404, 500]) assertEquals(outcome(HTML, { status }), "as it is");
});

Deno.test("judge() leaves what is encoded, a part, finished or signed as it is", () => {
  for (
    const field of [
      "Content-Encoding: br",
      "Content-Encoding: identity",
      "Content-Range: bytes 0-9999/*",
      "Cache-Control: max-age=5, No-Transform",
      "Content-Digest: sha-256=:AA==:",
      "Repr-Digest: sha-256=:AA==:",
      "Digest: md5=x",
    ]
  ) assertEquals(outcome(`${HTML}${field}\r\n`), "as it is", field);
  assertEquals(outcome(`${HTML}Cache-Control: max-age=5\r\nX-No-Transform: 1\r\n`), COMPRESSED);
});

Deno.test("judge() RFC 9110 12.5.5: says that the client's Accept-Encoding decides, once, and to everybody", () => {
  const plain = { wish: { ...GZIP, encoding: null } };
  assertEquals(outcome(HTML, plain), "plain; length; Vary: Accept-Encoding");
  for (const vary of ["accept-encoding", "Cookie, Accept-Encoding", "*"]) {
    assertEquals(outcome(`${HTML}Vary: ${vary}\r\n`, plain), "as it is", vary);
    assertEquals(outcome(`${HTML}Vary: ${vary}\r\n`), "gzip; weak; -accept-ranges; Content-Encoding: gzip");
  }
  assertEquals(outcome(`${HTML}Vary: X-Accept-Encoding\r\n`, plain), "plain; length; Vary: Accept-Encoding");
});

Deno.test("judge() says so also of a part of what would be compressed as a whole", () => {
  const partial = (fields: string) =>
    outcome(`Content-Range: bytes 0-9/5000\r\n${fields}`, { status: 206, length: 10 });
  assertEquals(partial(HTML), "plain; length; Vary: Accept-Encoding");
  assertEquals(partial(`${HTML}Vary: Accept-Encoding\r\n`), "as it is");
  assertEquals(partial("Content-Type: image/png\r\n"), "as it is");
  assertEquals(partial(`${HTML}Content-Encoding: br\r\n`), "as it is");
  const small = `Content-Range: bytes 0-9/500\r\n${HTML}`;
  assertEquals(outcome(small, { status: 206, length: 10 }), "as it is", "the whole is too small");
});

Deno.test("judge() renews what the client has by the tag that it has", () => {
  const renewed = (known: string) => outcome('ETag: "a"\r\n', { status: 304, wish: { ...GZIP, known } });
  assertEquals(renewed('"x", W/"a"'), "plain; weak; Vary: Accept-Encoding");
  for (const known of ['"a"', 'W/"aa"', "*", ""]) assertEquals(renewed(known), "as it is", known);
});

Deno.test("wishOf() takes what the client likes best of what there is", () => {
  const encoding = (accept: string | null, more = {}, available = POLICY.encodings) =>
    wishOf(
      POLICY,
      factsOf("GET", "/", { ...(accept === null ? {} : { "accept-encoding": accept }), ...more }),
      available,
    )
      .encoding;
  // Chrome, Firefox, Safari, curl, wget, and those that want none.
  assertEquals(encoding("gzip, deflate, br, zstd"), "zstd");
  assertEquals(encoding("gzip, deflate, br"), "br");
  assertEquals(encoding("gzip, deflate"), "gzip");
  assertEquals(encoding("deflate, gzip, br, zstd"), "zstd");
  for (const none of [null, "", "identity", "deflate", "gzip;q=0", "*;q=0"]) {
    assertEquals(encoding(none), null);
  }
  assertEquals(encoding("gzip;q=1.0, br;q=0.5, zstd;q=0"), "gzip");
  assertEquals(encoding("*"), "zstd");
  assertEquals(encoding("*", {}, ["gzip"]), "gzip");
  assertEquals(encoding("gzip", { "cache-control": "no-transform" }), null);
  assert(wishOf(POLICY, factsOf("GET", "/", { "if-none-match": 'W/"a"' }), ["gzip"]).known === 'W/"a"');
});
