import { assertEquals } from "../assert.ts";
import { FieldDecoder } from "../../mod/http2/decoder.ts";
import { encodeField, encodeStatus, FIELD_OVERHEAD } from "../../mod/http2/encoder.ts";
import { Fields } from "./fields.ts";
import { bytesOf } from "./hex.ts";

function roundTrip(encode: (out: Uint8Array) => number): string[] {
  const out = new Uint8Array(100_000);
  const fields = new Fields(90_000);
  new FieldDecoder().decode(out, 0, encode(out), fields);
  return fields.lines;
}

Deno.test("encodeStatus() every status is read as it was meant", () => {
  for (const status of [100, 200, 204, 206, 301, 304, 400, 404, 429, 500, 503, 599]) {
    assertEquals(roundTrip((out) => encodeStatus(out, 0, status)), [`:status: ${status}`]);
  }
  assertEquals(encodeStatus(new Uint8Array(5), 0, 200), 1);
});

Deno.test("encodeField() every name and length is read as it was meant, in lower case", () => {
  for (
    const name of ["Content-Type", "server", "X-Anything", "via", "Date", "set-cookie", "a", "x".repeat(300)]
  ) {
    for (const size of [0, 1, 126, 127, 128, 300, 20_000]) {
      const bytes = bytesOf(`${name}: ${"v".repeat(size)}`);
      const { length } = name;
      let used = 0;
      const lines = roundTrip((out) =>
        used = encodeField(out, 0, bytes, 0, length, length + 2, bytes.length)
      );
      assertEquals(lines, [`${name.toLowerCase()}: ${"v".repeat(size)}`]);
      assertEquals(used <= bytes.length - 2 + FIELD_OVERHEAD, true);
    }
  }
});
