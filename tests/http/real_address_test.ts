/** Who a client is behind proxies. */
import { assertEquals } from "../assert.ts";
import { realAddress } from "../../mod/http/real_address.ts";

const trusts = (address: string) => address.startsWith("10.");
const real = (forwardedFor: string | null, forwarded: string | null = null) =>
  realAddress("10.0.0.1", { forwardedFor, forwarded }, trusts);

Deno.test("realAddress() is the last address that is no proxy that is believed", () => {
  assertEquals(real(null), "10.0.0.1");
  assertEquals(real("192.0.2.1"), "192.0.2.1");
  assertEquals(real("1.1.1.1, 192.0.2.1"), "192.0.2.1");
  assertEquals(real("1.1.1.1, 192.0.2.1 , 10.0.0.9,10.0.0.8"), "192.0.2.1");
  assertEquals(real("10.0.0.7, 10.0.0.9"), "10.0.0.7");
});

Deno.test("realAddress() reads ports, brackets and mapped addresses", () => {
  assertEquals(real("192.0.2.1:1234"), "192.0.2.1");
  assertEquals(real("[2001:DB8::1]:1234"), "2001:db8::1");
  assertEquals(real("2001:db8::1"), "2001:db8::1");
  assertEquals(real("::ffff:192.0.2.1"), "192.0.2.1");
});

Deno.test("realAddress() stops where a hop does not tell an address", () => {
  assertEquals(real("192.0.2.1, unknown, 10.0.0.9"), "10.0.0.9");
  assertEquals(real("192.0.2.1, "), "10.0.0.1");
  assertEquals(real(""), "10.0.0.1");
});

Deno.test("realAddress() reads Forwarded where there is no X-Forwarded-For", () => {
  assertEquals(real(null, "for=192.0.2.1;proto=http, For=10.0.0.9"), "192.0.2.1");
  assertEquals(real(null, 'proto=https; for="[2001:db8::1]:80"'), "2001:db8::1");
  assertEquals(real(null, "for=192.0.2.1, for=_hidden"), "10.0.0.1");
  assertEquals(real("192.0.2.2", "for=192.0.2.1"), "192.0.2.2");
});
