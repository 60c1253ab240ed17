import fc from "fast-check";
import { parseIp } from "../../mod/base/address.ts";
import { readControl } from "../../vrrp/control.ts";
import { assert, assertEquals } from "../assert.ts";
import { fromHex } from "./hex.ts";

/** One message: length, level and type little-endian, data, padding to eight bytes. */
function message(type: number, data: string, level = 41): string {
  const length = 16 + data.length / 2;
  const le = (value: number, bytes: number) =>
    Array.from({ length: bytes }, (_, at) => (value >> (8 * at) & 0xff).toString(16).padStart(2, "0")).join(
      "",
    );
  const text = le(length, 4) + "00000000" + le(level, 4) + le(type, 4) + data;
  return text.padEnd(Math.ceil(text.length / 16) * 16, "0");
}

const GROUP = "ff020000000000000000000000000012";
const PKTINFO = message(50, GROUP + "02000000");
const HOPLIMIT = message(52, "ff000000");

Deno.test("readControl() finds hop limit and destination in either order, between others", () => {
  const wanted = { hopLimit: 255, destination: parseIp("ff02::12") };
  for (
    const all of [PKTINFO + HOPLIMIT, message(67, "c0000000") + HOPLIMIT + message(52, "01", 1) + PKTINFO]
  ) {
    assertEquals(readControl(fromHex(all)), wanted);
  }
});

Deno.test("readControl() what was not told is null, at every length", () => {
  const all = fromHex(PKTINFO + HOPLIMIT);
  for (let length = 0; length <= all.length; length++) {
    const { hopLimit, destination } = readControl(all.subarray(0, length));
    assertEquals([destination !== null, hopLimit !== null], [length >= 36, length >= 60], String(length));
  }
});

Deno.test("readControl() ends with whatever bytes", () => {
  const heads = fc.constantFrom("", "0000000000000000", "1000000000000000", "ffffffffffffffff");
  fc.assert(fc.property(heads, fc.uint8Array({ maxLength: 100 }), (head, rest) => {
    const { hopLimit } = readControl(new Uint8Array([...fromHex(head), ...rest]));
    assert(hopLimit === null || Number.isInteger(hopLimit));
  }));
});
