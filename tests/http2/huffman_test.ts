import { assertEquals } from "../assert.ts";
import { decodeHuffman } from "../../mod/http2/huffman.ts";
import { hex } from "./hex.ts";

function decoded(codes: string): string | null {
  const bytes = hex(codes);
  const out = new Uint8Array(2 * bytes.length);
  const end = decodeHuffman(bytes, 0, bytes.length, out, 0);
  return end < 0 ? null : String.fromCharCode(...out.subarray(0, end));
}

Deno.test("decodeHuffman() the examples of RFC 7541 appendix C", () => {
  const cases: [string, string][] = [
    ["f1e3c2e5f23a6ba0ab90f4ff", "www.example.com"],
    ["a8eb10649cbf", "no-cache"],
    ["25a849e95ba97d7f", "custom-key"],
    ["25a849e95bb8e8b4bf", "custom-value"],
    ["6402", "302"],
    ["aec3771a4b", "private"],
    ["d07abe941054d444a8200595040b8166e082a62d1bff", "Mon, 21 Oct 2013 20:13:21 GMT"],
    ["9d29ad171863c78f0b97c8e9ae82ae43d3", "https://www.example.com"],
    ["9bd9ab", "gzip"],
    [
      "94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
      "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
    ],
  ];
  for (const [codes, text] of cases) assertEquals(decoded(codes), text);
  assertEquals(decoded(""), "");
});

Deno.test("decodeHuffman() symbols with codes of all lengths, as appendix B has them", () => {
  const cases: [number, string][] = [
    [0x30, "07"],
    [0x25, "57"],
    [0x3a, "b9"],
    [0x26, "f8"],
    [0x21, "fe3f"],
    [0x27, "ff5f"],
    [0x23, "ffaf"],
    [0x00, "ffc7"],
    [0x5c, "fffe1f"],
    [0xc3, "fffe3f"],
    [0xd0, "fffe5f"],
    [0x01, "ffffb1"],
    [0x09, "ffffea"],
    [0xff, "fffffbbf"],
    [0xf9, "ffffffef"],
    [0x0a, "fffffff3"],
  ];
  for (const [symbol, codes] of cases) assertEquals(decoded(codes), String.fromCharCode(symbol), codes);
});

Deno.test("decodeHuffman() RFC 7541 section 5.2: padding of eight bits or more, of zeros, and EOS are errors", () => {
  assertEquals(decoded("07ff"), null);
  assertEquals(decoded("00"), null);
  assertEquals(decoded("ffffffff"), null);
});
