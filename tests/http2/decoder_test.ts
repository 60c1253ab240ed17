import { assert, assertEquals } from "../assert.ts";
import { FieldDecoder } from "../../mod/http2/decoder.ts";
import { AUTHORITY, MALFORMED_FIELD, METHOD, PATH, SCHEME } from "../../mod/http2/field.ts";
import { HOST, OTHER } from "../../mod/http/names.ts";
import { Fields } from "./fields.ts";
import { bytesOf, hex } from "./hex.ts";

function decode(decoder: FieldDecoder, block: string | Uint8Array, fields = new Fields()): Fields | null {
  const bytes = typeof block === "string" ? hex(block) : block;
  return decoder.decode(bytes, 0, bytes.length, fields) ? fields : null;
}

/** The blocks of one connection one after the other, and the lines of each. */
function check(...blocks: [string, string[]][]): void {
  const decoder = new FieldDecoder();
  for (const [block, lines] of blocks) assertEquals(decode(decoder, block)?.lines, lines);
}

const FIRST = [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"];
const SECOND = [...FIRST, "cache-control: no-cache"];
const THIRD = [
  ":method: GET",
  ":scheme: https",
  ":path: /index.html",
  ":authority: www.example.com",
  "custom-key: custom-value",
];

Deno.test("FieldDecoder RFC 7541 appendix C.2: literals of every kind", () => {
  check(["400a637573746f6d2d6b65790d637573746f6d2d686561646572", ["custom-key: custom-header"]]);
  check(["040c2f73616d706c652f70617468", [":path: /sample/path"]]);
  check(["100870617373776f726406736563726574", ["password: secret"]]);
  check(["82", [":method: GET"]]);
});

Deno.test("FieldDecoder RFC 7541 appendix C.3: requests without Huffman code share a table", () => {
  check(
    ["828684410f7777772e6578616d706c652e636f6d", FIRST],
    ["828684be58086e6f2d6361636865", SECOND],
    ["828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565", THIRD],
  );
});

Deno.test("FieldDecoder RFC 7541 appendix C.4: requests with Huffman code share a table", () => {
  check(
    ["828684418cf1e3c2e5f23a6ba0ab90f4ff", FIRST],
    ["828684be5886a8eb10649cbf", SECOND],
    ["828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf", THIRD],
  );
});

Deno.test("FieldDecoder RFC 7541 appendix C.5: a table of 256 bytes lets the oldest go", () => {
  const date = "date: Mon, 21 Oct 2013 20:13:21 GMT";
  const location = "location: https://www.example.com";
  check(
    [
      "3fe101" + // The table's size, which the appendix takes for granted.
      "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e17" +
      "68747470733a2f2f7777772e6578616d706c652e636f6d",
      [":status: 302", "cache-control: private", date, location],
    ],
    ["4803333037c1c0bf", [":status: 307", "cache-control: private", date, location]],
    [
      "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d41" +
      "53444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
      [
        ":status: 200",
        "cache-control: private",
        "date: Mon, 21 Oct 2013 20:13:22 GMT",
        location,
        "content-encoding: gzip",
        "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
      ],
    ],
  );
});

Deno.test("FieldDecoder RFC 7541 section 2.3.3: an index that is not there is an error", () => {
  for (const block of ["80", "be", "ff00", "7f00"]) {
    assertEquals(decode(new FieldDecoder(), block), null, block);
  }
});

Deno.test("FieldDecoder RFC 7541 section 4.2: a size is changed at the beginning of a block, and to no more than ours", () => {
  assert(decode(new FieldDecoder(), "203fe11f82"));
  assertEquals(decode(new FieldDecoder(), "8220"), null);
  assertEquals(decode(new FieldDecoder(), "3fe21f"), null);
});

Deno.test("FieldDecoder RFC 7541 section 5: integers and texts that end too soon or are too long are errors", () => {
  for (const block of ["ff", "ff80", "ffffffffffff", "40", "400a61", "4001", "400161", "40016105", "00"]) {
    assertEquals(decode(new FieldDecoder(), block), null, block);
  }
});

Deno.test("FieldDecoder tells what each field is, whether or not it came by index", () => {
  const decoder = new FieldDecoder();
  const kinds = (block: string) => decode(decoder, block)!.kinds;
  assertEquals(kinds("82878541016166" + "0161"), [METHOD, SCHEME, PATH, AUTHORITY, HOST]);
  const literal = (name: string, value: string) =>
    Array.from(
      bytesOf(`@${String.fromCharCode(name.length)}${name}${String.fromCharCode(value.length)}${value}`),
    )
      .map((byte) => byte.toString(16).padStart(2, "0")).join("");
  assertEquals(kinds(literal("x-a", "b")), [OTHER]);
  assertEquals(kinds("be"), [OTHER]);
  for (
    const [name, value] of [["X-a", "b"], ["a b", "c"], ["", "a"], [":new", "a"], ["a", " b"], ["a", "b\t"]]
  ) {
    assertEquals(kinds(literal(name!, value!)), [MALFORMED_FIELD], name);
    assertEquals(kinds("be"), [MALFORMED_FIELD], name);
  }
  for (const value of ["a\r\nb: c", "a\0b", "a\nb", "a\rb", "\x7f"]) {
    assertEquals(kinds(literal("a", value)), [MALFORMED_FIELD]);
  }
});

Deno.test("FieldDecoder a name by its index is as good as it is, whatever the value was that it came with", () => {
  const decoder = new FieldDecoder();
  const kinds = (block: string) => decode(decoder, block)!.kinds;
  // `:path` of the static table, with a good value and with a bad one, as a new entry each.
  assertEquals(kinds("44012f"), [PATH]);
  assertEquals(kinds("440120"), [MALFORMED_FIELD]);
  assertEquals(kinds("7e012f"), [PATH]);
  assertEquals(kinds("7e0120"), [MALFORMED_FIELD]);
  // `X`, which is no name, with any value.
  assertEquals(kinds("4001580161"), [MALFORMED_FIELD]);
  assertEquals(kinds("7e0161"), [MALFORMED_FIELD]);
});

Deno.test("FieldDecoder what has no room is reported, and the table stays that of the peer", () => {
  const decoder = new FieldDecoder();
  const fields = new Fields(40);
  // 200 bytes, kept by the peer as its newest entry.
  const long = Uint8Array.of(0x40, 1, 0x61, 0x7f, 200 - 127, ...new Uint8Array(200).fill(0x62), 0x82);
  assert(decoder.decode(long, 0, long.length, fields));
  assertEquals([fields.overflows, fields.lines], [1, [":method: GET"]]);
  assertEquals(decode(decoder, "be")!.lines, [`a: ${"b".repeat(200)}`]);
});

Deno.test("FieldDecoder RFC 7541 section 4.4: a field larger than the table empties it", () => {
  const decoder = new FieldDecoder();
  assert(decode(decoder, "4001610162"));
  const large = Uint8Array.of(0x40, 1, 0x61, 0x7f, 0xa1, 0x7f, ...new Uint8Array(16_416).fill(0x62));
  assert(decode(decoder, large, new Fields(40)));
  assertEquals(decode(decoder, "be"), null);
});

Deno.test("FieldDecoder many entries come and go as the peer counts them", () => {
  const decoder = new FieldDecoder();
  // Each counts 37 bytes, so that 110 stand in the table.
  for (let i = 0; i < 1000; i++) {
    const name = String(1000 + i).slice(0, 4);
    assert(decode(decoder, Uint8Array.of(0x40, 4, ...bytesOf(name), 1, 0x78)));
  }
  assertEquals(decode(decoder, "be")!.lines, ["1999: x"]);
  assertEquals(decode(decoder, Uint8Array.of(0xff, 62 + 109 - 127))!.lines, ["1890: x"]);
  assertEquals(decode(decoder, Uint8Array.of(0xff, 62 + 110 - 127)), null);
});
