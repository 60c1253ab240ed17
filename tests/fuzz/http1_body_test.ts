// Invariant: a chunked body is complete exactly when the grammar matches it, with the same data however it arrives.
import fc from "fast-check";
import { fromLatin1, latin1 } from "../../mod/http/grammar.ts";
import { CHUNKED, END, FIXED, MORE } from "../../mod/http1/body.ts";
import { assertEquals } from "../assert.ts";
import { readBody, readBodyEverywhere } from "../http1/feed.ts";
import { fuzz } from "./mutation.ts";

const TCHAR = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]";
const TEXT = "[\\t\\x20-\\x7e\\x80-\\xff]";
const QUOTED = `"(?:[\\t\\x20\\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\${TEXT})*"`;
const SIZE_LINE = new RegExp(`^([0-9a-fA-F]{1,13})(?:;${TCHAR}+(?:=(?:${TCHAR}+|${QUOTED}))?)*\\r\\n`);
const TRAILER = new RegExp(`^(?:${TCHAR}+:${TEXT}*\\r\\n)*\\r\\n`);

const BODIES = [
  "5\r\nhello\r\n0\r\n\r\n",
  '5;a=b;c="d\\"e"\r\nhello\r\n1\r\n!\r\n00\r\n\r\nGET / HTTP/1.1\r\n',
  "a\r\n0\r\n\r\n12345\r\n0;x\r\nTrailer: value\r\nX:\r\n\r\n",
  "000F\r\n0123456789abcde\r\n0\r\n\r\n",
];

/** RFC 9112 section 7.1 read naively: the data and the bytes used, or null when not complete or malformed. */
function decoded(raw: string): { data: string; used: number } | null {
  let at = 0, data = "";
  for (;;) {
    const line = SIZE_LINE.exec(raw.slice(at));
    if (line === null) return null;
    at += line[0].length;
    const size = parseInt(line[1]!, 16);
    if (size === 0) break;
    data += raw.slice(at, at + size);
    if (raw.slice(at + size, at + size + 2) !== "\r\n") return null;
    at += size + 2;
  }
  const trailer = TRAILER.exec(raw.slice(at));
  return trailer === null ? null : { data, used: at + trailer[0].length };
}

Deno.test("BodyReader finishes exactly the bodies that the grammar matches, for mutated ones", () => {
  fuzz(BODIES, (message) => {
    const body = readBodyEverywhere(CHUNKED, 0, message);
    const expected = decoded(latin1(message, 0, message.length));
    assertEquals(body.step === END ? { data: body.data, used: body.used } : null, expected);
  });
});

Deno.test("decoded() reads the corpus", () => {
  assertEquals(BODIES.map((raw) => decoded(raw)?.data), [
    "hello",
    "hello!",
    "0\r\n\r\n12345",
    "0123456789abcde",
  ]);
});

Deno.test("BodyReader gives back what was encoded, cut at any points", () => {
  const chunk = fc.tuple(
    fc.uint8Array({ minLength: 1, maxLength: 300 }),
    fc.nat(3),
    fc.boolean(),
    fc.constantFrom("", ";a", ";a=b", ';a="b c"'),
  );
  const trailer = fc.constantFrom("", "A: b\r\n", "A: b\r\nC:\r\n");
  const cuts = fc.array(fc.nat(3000), { maxLength: 20 });
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 8 }), trailer, cuts, (chunks, trailer, cuts) => {
      const texts = chunks.map(([bytes]) => latin1(bytes, 0, bytes.length));
      const encoded = chunks.map(([, zeros, upper, extension], i) => {
        const size = "0".repeat(zeros) + texts[i]!.length.toString(16);
        return `${upper ? size.toUpperCase() : size}${extension}\r\n${texts[i]}\r\n`;
      });
      const raw = `${encoded.join("")}0\r\n${trailer}\r\n`;
      const bytes = fromLatin1(raw + "following");
      const points = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
      assertEquals(readBody(CHUNKED, 0, bytes, points), {
        step: END,
        data: texts.join(""),
        trailer: trailer === "" ? "" : `${trailer}\r\n`,
        used: raw.length,
      });
    }),
    { numRuns: 500 },
  );
});

Deno.test("BodyReader a fixed body is its first bytes, cut at any points", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(250),
      fc.array(fc.nat(200)),
      (bytes, length, cuts) => {
        const points = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
        const body = readBody(FIXED, length, bytes, points);
        assertEquals(body.data, latin1(bytes, 0, Math.min(length, bytes.length)));
        assertEquals([body.step, body.used], length <= bytes.length ? [END, length] : [MORE, bytes.length]);
      },
    ),
    { numRuns: 500 },
  );
});
