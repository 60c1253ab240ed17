import fc from "fast-check";
import {
  cidrContains,
  formatCidr,
  formatHostPort,
  formatIp,
  isHostName,
  isLoopbackIp,
  isUnspecifiedIp,
  parseCidr,
  parseHostPort,
  parseIp,
} from "../../mod/base/address.ts";
import { assert, assertEquals } from "../assert.ts";

const canonical = (text: string) => {
  const ip = parseIp(text);
  return ip === null ? null : formatIp(ip);
};
const inside = (cidr: string, ip: string) => cidrContains(parseCidr(cidr)!, parseIp(ip)!);

Deno.test("formatIp() writes IPv6 by RFC 5952", () => {
  const cases = [
    ["2001:0DB8::0001", "2001:db8::1"],
    ["2001:db8:0:0:0:0:2:1", "2001:db8::2:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["::ffff:192.0.2.1", "::ffff:192.0.2.1"],
    ["::ffff:c000:201", "::ffff:192.0.2.1"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
  ];
  for (const [text, expected] of cases) assertEquals(canonical(text!), expected, text);
});

Deno.test("parseIp() refuses what can be read two ways or is malformed", () => {
  const bad = [
    "",
    "127.1",
    "1.2.3",
    "1.2.3.4.5",
    "256.0.0.1",
    "01.2.3.4",
    "1.2.3.4 ",
    "0x7f.0.0.1",
    ":",
    ":::",
  ];
  bad.push(
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1::2::3",
    "12345::",
    "g::",
    "fe80::1%eth0",
    "1:2:3:4:5:6:7::8",
  );
  bad.push("1.2.3.4::", "::1.2.3.4:5", "::1.2.3", "[::1]");
  for (const text of bad) assertEquals(parseIp(text), null, text);
});

Deno.test("parseIp() reads back what formatIp() writes", () => {
  const ip = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  fc.assert(fc.property(ip, (bytes) => assertEquals(parseIp(formatIp(bytes)), bytes)));
  fc.assert(fc.property(fc.ipV6(), (text) => assert(parseIp(text) !== null)));
});

Deno.test("parseCidr() takes a bare address as a block of one and refuses host bits", () => {
  assertEquals(formatCidr(parseCidr("10.0.0.1")!), "10.0.0.1/32");
  assertEquals(formatCidr(parseCidr("2001:DB8::/32")!), "2001:db8::/32");
  assertEquals(formatCidr(parseCidr("0.0.0.0/0")!), "0.0.0.0/0");
  for (
    const text of ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "::/129", "a/8", "10.0.0.0/8/8"]
  ) {
    assertEquals(parseCidr(text), null, text);
  }
});

Deno.test("cidrContains() compares exactly the prefix's bits", () => {
  assert(inside("10.0.0.0/8", "10.255.1.2"));
  assert(!inside("10.0.0.0/8", "11.0.0.0"));
  assert(inside("10.1.128.0/17", "10.1.128.1"));
  assert(!inside("10.1.128.0/17", "10.1.127.255"));
  assert(inside("0.0.0.0/0", "203.0.113.9"));
  assert(!inside("0.0.0.0/0", "2001:db8::1"));
  assert(inside("10.0.0.0/8", "::ffff:10.1.2.3"));
  assert(inside("2001:db8::/33", "2001:db8:7fff::1"));
  assert(!inside("2001:db8::/33", "2001:db8:8000::1"));
});

Deno.test("cidrContains() agrees with comparing bit strings", () => {
  const bits = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
  const ip = fc.uint8Array({ minLength: 4, maxLength: 4 });
  fc.assert(fc.property(ip, ip, fc.nat(32), (base, other, prefix) => {
    const expected = bits(base).slice(0, prefix) === bits(other).slice(0, prefix);
    assertEquals(cidrContains({ bytes: base, prefix }, other), expected);
  }));
});

Deno.test("parseHostPort() reads names, IPv4 and bracketed IPv6", () => {
  assertEquals(parseHostPort("10.0.0.1:80"), { host: "10.0.0.1", port: 80 });
  assertEquals(parseHostPort("[2001:DB8::1]:443"), { host: "2001:db8::1", port: 443 });
  assertEquals(parseHostPort("App.Internal:8080"), { host: "app.internal", port: 8080 });
  assertEquals(formatHostPort("2001:db8::1", 443), "[2001:db8::1]:443");
  const bad = [
    "",
    ":80",
    "a",
    "a:",
    "a:65536",
    "a:080",
    "2001:db8::1:80",
    "[::1]",
    "[::1]80",
    "[a]:1",
    "1.2.3:80",
  ];
  bad.push("-a:1", "a-:1", "a b:1", "http://a:1", "a..b:1", "[1.2.3.4]:80");
  for (const text of bad) assertEquals(parseHostPort(text), null, text);
});

Deno.test("isHostName() holds the limits of RFC 1123", () => {
  for (const name of ["a", "a-b.c", "_http._tcp.internal", "3com.example", "a.", "x".repeat(63)]) {
    assert(isHostName(name));
  }
  for (const name of ["", ".", "x".repeat(64), `${"a.".repeat(127)}`, "a.1", "1.2.3.4", "é.example", "a/b"]) {
    assert(!isHostName(name), name);
  }
});

Deno.test("isLoopbackIp() and isUnspecifiedIp() know both families", () => {
  assertEquals(["127.9.9.9", "::1", "::ffff:127.0.0.1"].map((text) => isLoopbackIp(parseIp(text)!)), [
    true,
    true,
    true,
  ]);
  assertEquals(["128.0.0.1", "::2", "::"].map((text) => isLoopbackIp(parseIp(text)!)), [false, false, false]);
  assertEquals(["0.0.0.0", "::", "::1"].map((text) => isUnspecifiedIp(parseIp(text)!)), [true, true, false]);
});
