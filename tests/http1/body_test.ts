import {
  BodyReader,
  CHUNKED,
  DATA,
  END,
  FIXED,
  MALFORMED,
  MAX_TRAILER_BYTES,
  MORE,
  NONE,
  TOO_LARGE,
  UNTIL_CLOSE,
} from "../../mod/http1/body.ts";
import { fromLatin1 } from "../../mod/http/grammar.ts";
import { assertEquals } from "../assert.ts";
import { readBody, readBodyEverywhere } from "./feed.ts";

const chunked = (raw: string) => readBodyEverywhere(CHUNKED, 0, raw);

Deno.test("BodyReader no body ends before the first byte", () => {
  assertEquals(readBodyEverywhere(NONE, 0, "next"), { step: END, data: "", trailer: "", used: 0 });
  assertEquals(readBodyEverywhere(FIXED, 0, "next"), { step: END, data: "", trailer: "", used: 0 });
});

Deno.test("BodyReader a fixed body ends at its length", () => {
  assertEquals(readBodyEverywhere(FIXED, 5, "hellonext"), { step: END, data: "hello", trailer: "", used: 5 });
  assertEquals(readBodyEverywhere(FIXED, 5, "hello"), { step: END, data: "hello", trailer: "", used: 5 });
  assertEquals(readBodyEverywhere(FIXED, 5, "hell").step, MORE);
  const reader = new BodyReader();
  reader.start(FIXED, 999_999_999_999_999);
  assertEquals(reader.next(new Uint8Array(10), 0, 10), DATA);
  assertEquals([reader.remaining, reader.done], [999_999_999_999_989, false]);
});

Deno.test("BodyReader a body until close has no end of its own", () => {
  assertEquals(readBodyEverywhere(UNTIL_CLOSE, 0, "anything\r\n\r\n"), {
    step: MORE,
    data: "anything\r\n\r\n",
    trailer: "",
    used: 12,
  });
});

Deno.test("RFC 9112 section 7.1: chunks are joined, and what follows the last is left alone", () => {
  assertEquals(chunked("5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\nGET /"), {
    step: END,
    data: "hello, world",
    trailer: "",
    used: 27,
  });
  assertEquals(chunked("0\r\n\r\n"), { step: END, data: "", trailer: "", used: 5 });
  assertEquals(chunked("000a\r\n0123456789\r\n00\r\n\r\n").data, "0123456789");
  assertEquals(chunked("A\r\n0123456789\r\n0\r\n\r\n").data, "0123456789");
  assertEquals(chunked(`${"1\r\na\r\n".repeat(30)}0\r\n\r\n`).data, "a".repeat(30));
  // A chunk's data may look like anything.
  assertEquals(chunked("b\r\n0\r\n\r\nGET / \r\n0\r\n\r\n").data, "0\r\n\r\nGET / ");
});

Deno.test("BodyReader an unfinished chunked body wants more", () => {
  const whole = "3\r\nabc\r\n0\r\nA: b\r\n\r\n";
  for (let size = 0; size < whole.length; size++) {
    assertEquals(readBody(CHUNKED, 0, fromLatin1(whole.slice(0, size)), []).step, MORE, `${size} bytes`);
  }
});

Deno.test("RFC 9112 section 7.1: chunk sizes that are malformed", () => {
  const bad = [
    "",
    " 3",
    "3 ",
    "\t3",
    "3\t",
    "+3",
    "-3",
    "-0",
    "0x3",
    "x3",
    "0X3",
    "3h",
    "3_",
    "g",
    '"3"',
    "3,3",
    "3.0",
    "3 3",
    "\x003",
    "3\0",
    "\xb3",
    "\n3",
    "\r3",
    "3\r",
    "3\n",
    "10000000000003",
    "00000000000003",
    "ffffffffffffffff",
    "fffffffffffffff3",
    "100000000000000000003",
  ];
  for (const size of bad) {
    assertEquals(chunked(`${size}\r\nabc\r\n0\r\n\r\n`).step, MALFORMED, JSON.stringify(size));
  }
  assertEquals(chunked("3\rxabc\r\n0\r\n\r\n").step, MALFORMED);
  assertEquals(chunked("3\r\nabc\r\n\r\n0\r\n\r\n").step, MALFORMED);
  assertEquals(chunked("3\nabc\r\n0\r\n\r\n").step, MALFORMED);
  assertEquals(chunked("3\r\nabc\n0\r\n\r\n").step, MALFORMED);
  assertEquals(chunked("3\r\nabc\r\n0\n\r\n").step, MALFORMED);
  assertEquals(chunked("3\r\nabc\r\n0\r\n\n").step, MALFORMED);
});

Deno.test("BodyReader the largest chunk size keeps its value", () => {
  const reader = new BodyReader();
  reader.start(CHUNKED, 0);
  const bytes = fromLatin1("fffffffffffff\r\nx");
  assertEquals(reader.next(bytes, 0, bytes.length), DATA);
  assertEquals(reader.remaining, 2 ** 52 - 2);
});

Deno.test("RFC 9112 section 7.1: chunk data must be as long as its size says", () => {
  for (const data of ["ab", "abcd", "abc\n", "abc\r", "abc\rx", "abcx\r\n"]) {
    assertEquals(chunked(`3\r\n${data}\r\n0\r\n\r\n`).step, MALFORMED, JSON.stringify(data));
  }
});

Deno.test("RFC 9112 section 7.1.1: chunk extensions are dropped when well-formed and refused when not", () => {
  const step = (extension: string) => chunked(`3${extension}\r\nabc\r\n0${extension}\r\n\r\n`).step;
  const signature = `;chunk-signature=${"a1".repeat(32)}`;
  const good = [
    ";a",
    ";a=b",
    ';a="b"',
    ';a=""',
    ";a;b",
    ';a=b;c="d";e',
    ';a="q\\"q"',
    ';a="x;y=z,\xe4\t"',
    signature,
  ];
  for (const extension of good) {
    assertEquals(step(extension), END, extension);
    assertEquals(chunked(`3${extension}\r\nabc\r\n0\r\n\r\n`).data, "abc", extension);
  }
  const bad = [
    ";",
    ";;",
    ";a;",
    "; a",
    ";a ",
    " ;a",
    ";a =b",
    ";a= b",
    ";a=",
    ";=b",
    ";a=b=c",
    ';a="b',
    ';a="b\\"',
    ';a="b"c',
    ';a="b""c"',
    ';a="b\r\nc"',
    ';a="b\nc"',
    ';a="b\rc"',
    ';a="b\\\nc"',
    ";a\n",
    ";a\r",
    ";a\nGET / HTTP/1.1",
    ";\n",
    ";a\0b",
    ";a=b\x7f",
    ";a\xe4",
    ";a,b",
    ",a",
    "=a",
    `;${"a".repeat(300)}`,
    `;a="${"a".repeat(300)}"`,
  ];
  for (const extension of bad) assertEquals(step(extension), MALFORMED, JSON.stringify(extension));
});

Deno.test("RFC 9112 section 7.1.2: trailers are collected and must be fields", () => {
  assertEquals(chunked("1\r\na\r\n0\r\nX-A: b\r\nX-C: d\r\n\r\nnext"), {
    step: END,
    data: "a",
    trailer: "X-A: b\r\nX-C: d\r\n\r\n",
    used: 27,
  });
  const bad = [
    "A",
    "A : b",
    " A: b",
    "A: b\r\n fold",
    "A: b\n",
    "A: b\rC: d",
    "A: \0",
    ": b",
    "\n",
    "A\n: b",
  ];
  bad.push("GET / HTTP/1.1");
  for (const trailer of bad) {
    assertEquals(chunked(`0\r\n${trailer}\r\n\r\n`).step, MALFORMED, JSON.stringify(trailer));
  }
});

Deno.test("BodyReader the trailer's limit does not depend on how it arrives", () => {
  const line = (size: number) => `A: ${"x".repeat(size - 5)}\r\n`;
  const sizes = [
    100,
    4000,
    MAX_TRAILER_BYTES - 1,
    MAX_TRAILER_BYTES,
    MAX_TRAILER_BYTES + 1,
    MAX_TRAILER_BYTES + 2000,
  ];
  for (const size of sizes) {
    const raw = fromLatin1(`0\r\n${line(size - 2)}\r\n`);
    const expected = size <= MAX_TRAILER_BYTES ? END : TOO_LARGE;
    for (
      const cuts of [[], [100], [size - 10], [size - 1, size, size + 1, size + 2], [10, 20, size / 2 | 0]]
    ) {
      assertEquals(readBody(CHUNKED, 0, raw, cuts).step, expected, `${size} bytes cut at ${cuts}`);
    }
  }
  assertEquals(readBody(CHUNKED, 0, fromLatin1(`0\r\n${"A: b\r\n".repeat(101)}\r\n`), []).step, MALFORMED);
});

Deno.test("BodyReader stays broken once it is", () => {
  for (const raw of ["x", "3\r\nabcd", `0\r\nA: ${"x".repeat(MAX_TRAILER_BYTES)}`]) {
    const reader = new BodyReader();
    reader.start(CHUNKED, 0);
    const bytes = fromLatin1(raw);
    let step = reader.next(bytes, 0, bytes.length);
    while (step === DATA) step = reader.next(bytes, reader.at, bytes.length);
    assertEquals(step === MALFORMED || step === TOO_LARGE, true, raw.slice(0, 10));
    const good = fromLatin1("0\r\n\r\n");
    assertEquals(reader.next(good, 0, good.length), MALFORMED);
    assertEquals(reader.done, false);
  }
});

Deno.test("BodyReader.start() forgets the body before", () => {
  const reader = new BodyReader();
  for (const before of ['5;a="', "fff", "3\r\nab", "0\r\nA: b\r\n\r\n", "0\r\nA: b", "x"]) {
    reader.start(CHUNKED, 0);
    const bytes = fromLatin1(before);
    while (reader.next(bytes, reader.at = 0, bytes.length) === DATA) break;
    reader.start(CHUNKED, 0);
    const good = fromLatin1("2;b\r\nok\r\n0\r\n\r\n");
    assertEquals(reader.next(good, 0, good.length), DATA, before);
    assertEquals([reader.dataStart, reader.dataEnd], [5, 7]);
    assertEquals(reader.next(good, reader.at, good.length), END);
    assertEquals([reader.at, reader.trailer.length], [good.length, 0]);
  }
});
