import { context, oid, sequence, TAG, utf8, value } from "../../mod/acme/der.ts";
import { alternativeNames } from "../../mod/net/alternative_names.ts";
import { assertEquals } from "../assert.ts";

/** As much of a certificate as is looked at. */
function certificateWith(...names: Uint8Array[]): Uint8Array {
  const extension = sequence(oid("2.5.29.17"), value(TAG.octets, sequence(...names)));
  const other = sequence(oid("2.5.29.15"), value(TAG.octets, sequence()));
  return sequence(sequence(value(context(3, true), sequence(other, extension))));
}

const of = (kind: number, text: string) => utf8(context(kind, false), text);

Deno.test("alternativeNames() has every kind that servers go by, in order", () => {
  const address = (...bytes: number[]) => value(context(7, false), bytes);
  const ipv6 = address(0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), 1);
  const names = [of(2, "a.test"), of(1, "b@a.test"), of(6, "spiffe://a.test/b"), address(10, 0, 0, 1), ipv6];
  assertEquals(alternativeNames(certificateWith(...names)), [
    "DNS:a.test",
    "email:b@a.test",
    "URI:spiffe://a.test/b",
    "IP:10.0.0.1",
    "IP:2001:db8::1",
  ]);
});

Deno.test("alternativeNames() leaves out what could be read as another name, and other kinds", () => {
  const bad = ["a.test, DNS:b.test", "a.test,DNS:b.test", "a b", "a\0b", "ä.test", "", "x".repeat(5000)];
  const names = [...bad.map((text) => of(2, text)), of(0, "other"), value(context(7, false), [1, 2, 3])];
  assertEquals(alternativeNames(certificateWith(...names, of(2, "c.test"))), ["DNS:c.test"]);
});

Deno.test("alternativeNames() is empty for bytes that end anywhere", () => {
  const whole = certificateWith(of(2, "a.test"));
  for (let size = 0; size < whole.length; size++) assertEquals(alternativeNames(whole.subarray(0, size)), []);
  assertEquals(alternativeNames(certificateWith()), []);
});
