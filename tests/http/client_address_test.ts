import fc from "fast-check";
import { blockTest } from "../../mod/base/address.ts";
import { CLIENT_FIELDS, clientAddress } from "../../mod/http/client_address.ts";
import { assertEquals } from "../assert.ts";

const trusts = blockTest(["10.0.0.0/8", "2001:db8::/32"]);

function from(value: string | null, name = "x-forwarded-for"): string {
  return clientAddress([name], () => value, "10.0.0.1", trusts);
}

Deno.test("clientAddress() is the last address of a list that no trusted proxy has", () => {
  assertEquals(from("198.51.100.9"), "198.51.100.9");
  assertEquals(from("198.51.100.9, 10.0.0.2"), "198.51.100.9");
  // What stands before the first stranger was written by that stranger.
  assertEquals(from("192.168.0.1, 198.51.100.9, 10.0.0.2"), "198.51.100.9");
  assertEquals(from("10.0.0.7, 10.0.0.2"), "10.0.0.7");
  assertEquals(from("198.51.100.9:4711"), "198.51.100.9");
  assertEquals(from("[2001:DB9::1]:4711"), "2001:db9::1");
  assertEquals(from("2001:db9::1, [2001:db8::5]"), "2001:db9::1");
  assertEquals(from("::ffff:198.51.100.9"), "198.51.100.9");
});

Deno.test("clientAddress() goes no further than it can read", () => {
  assertEquals(from(null), "10.0.0.1");
  assertEquals(from(""), "10.0.0.1");
  assertEquals(from("198.51.100.9, unknown, 10.0.0.2"), "10.0.0.2");
  assertEquals(from("198.51.100.9, , 10.0.0.2"), "10.0.0.2");
  assertEquals(from("1.2.3.4.5"), "10.0.0.1");
  assertEquals(from("198.51.100.9%0"), "10.0.0.1");
});

Deno.test("clientAddress() reads Forwarded with its quotes", () => {
  const forwarded = (value: string) => from(value, "forwarded");
  assertEquals(forwarded("for=198.51.100.9;proto=https, for=10.0.0.2"), "198.51.100.9");
  assertEquals(forwarded('proto=https;For="[2001:db9::1]:47"'), "2001:db9::1");
  assertEquals(forwarded('for=198.51.100.9;host="a,for=1.2.3.4"'), "198.51.100.9");
  assertEquals(forwarded('for="198.51.100.9:8080"'), "198.51.100.9");
  assertEquals(forwarded("for=198.51.100.9, for=_hidden"), "10.0.0.1");
  assertEquals(forwarded("for=198.51.100.9, proto=http"), "10.0.0.1");
  assertEquals(forwarded('for="198.51.100.9'), "10.0.0.1");
});

Deno.test("clientAddress() takes the first field that came", () => {
  const of = (fields: Readonly<Record<string, string>>) =>
    clientAddress(CLIENT_FIELDS, (name) => fields[name] ?? null, "10.0.0.1", trusts);
  assertEquals(of({}), "10.0.0.1");
  assertEquals(of({ forwarded: "for=198.51.100.9" }), "198.51.100.9");
  assertEquals(of({ forwarded: "for=198.51.100.9", "x-forwarded-for": "198.51.100.8" }), "198.51.100.8");
  assertEquals(of({ "x-real-ip": "198.51.100.9" }), "10.0.0.1");
});

Deno.test("clientAddress() of whatever comes is an address", () => {
  const text = fc.string({ unit: fc.constantFrom(...'for=;,"\\ :[].10a') });
  fc.assert(fc.property(text, fc.constantFrom("forwarded", "x-real-ip"), (value, name) => {
    const address = from(value, name);
    assertEquals(/^[0-9a-f.:]+$/.test(address), true);
  }));
});
