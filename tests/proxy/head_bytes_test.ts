/** Cookies in the bytes of heads, beside what splitting text says of the same. */
import fc from "fast-check";
import { fromLatin1, latin1 } from "../../mod/http/grammar.ts";
import { findField, findPair, pairAt, pairRange, replaceRange } from "../../mod/proxy/head_bytes.ts";
import { assertEquals } from "../assert.ts";

const SRV = fromLatin1("SRV");

/** The pairs of a `Cookie` value, as text says. */
function pairs(value: string): string[] {
  return value.split(";").map((pair) => pair.trim()).filter((pair) => pair !== "");
}

const piece = fc.constantFrom(
  "SRV=",
  "SRV=x",
  " SRV=y ",
  "SRV",
  "xSRV=1",
  "SRVx=2",
  "a=SRV=3",
  "b=4",
  "",
  " ",
  "\t",
);

Deno.test("findPair() and pairRange() take one cookie out and leave all others", () => {
  fc.assert(fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
    const value = pieces.join(";");
    let bytes = fromLatin1(value);
    for (;;) {
      const pair = findPair(bytes, 0, bytes.length, SRV);
      if (pair === null) break;
      const [start, end] = pairRange(bytes, 0, bytes.length, pair);
      bytes = Uint8Array.of(...bytes.subarray(0, start), ...bytes.subarray(end));
    }
    const left = latin1(bytes, 0, bytes.length);
    assertEquals(pairs(left), pairs(value).filter((pair) => !pair.startsWith("SRV=")), value);
  }));
});

Deno.test("pairAt() reads what a Set-Cookie begins with", () => {
  const read = (value: string) => {
    const bytes = fromLatin1(value);
    const pair = pairAt(bytes, 0, bytes.length, SRV);
    return pair === null ? null : latin1(bytes, pair.value, pair.end);
  };
  assertEquals(["SRV=a; Path=/", " SRV=", "SRV=a b ;x", "SRV", "SRVx=1", "x=SRV=1", ""].map(read), [
    "a",
    "",
    "a b",
    null,
    null,
    null,
    null,
  ]);
});

Deno.test("findField() finds lines by name whatever its case, and replaceRange() moves what is behind", () => {
  const bytes = new Uint8Array(100);
  const head = "HTTP/1.1 200 OK\r\nSET-cookie: a\r\nX: set-cookie:\r\nset-COOKIE:b\r\n\r\n";
  bytes.set(fromLatin1(head));
  const name = fromLatin1("set-cookie:");
  const first = findField(bytes, 0, head.length, name);
  const second = findField(bytes, first + 1 + "SET-cookie: a\r".length, head.length, name);
  assertEquals([first, second], [head.indexOf("SET"), head.indexOf("set-COOKIE")]);
  assertEquals(findField(bytes, second + "set-COOKIE:b\r\n".length, head.length, name), -1);
  const length = replaceRange(bytes, head.length, first, first + 3, fromLatin1("longer"));
  assertEquals(latin1(bytes, 0, length), head.replace("SET", "longer"));
});
