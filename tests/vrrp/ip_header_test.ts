import fc from "fast-check";
import { parseIp } from "../../mod/base/address.ts";
import { readIpv4, writeIpv4, writeIpv6 } from "../../vrrp/ip_header.ts";
import { assert, assertEquals } from "../assert.ts";
import { fromHex, toHex } from "./hex.ts";

const ip = (text: string) => parseIp(text)!;
const WRITTEN = writeIpv4(ip("10.77.0.11"), ip("224.0.0.18"), fromHex("31aabb"));
const reason = (bytes: Uint8Array) => {
  const read = readIpv4(bytes);
  return read.ok ? toHex(read.packet.bytes) : read.reason;
};

Deno.test("writeIpv4() RFC 9568 section 5.1.1: TTL 255, protocol 112, the addresses as given", () => {
  assertEquals(toHex(WRITTEN), "45c00017" + "00000000" + "ff700000" + "0a4d000b" + "e0000012" + "31aabb");
});

Deno.test("readIpv4() reads back what writeIpv4() writes, and leaves padding of the link away", () => {
  const read = readIpv4(fromHex(toHex(WRITTEN) + "0000000000"));
  assert(read.ok);
  const { bytes, source, destination, ttl } = read.packet;
  assertEquals([toHex(bytes), source, destination, ttl], ["31aabb", ip("10.77.0.11"), ip("224.0.0.18"), 255]);
});

Deno.test("readIpv4() steps over options", () => {
  const options = fromHex(`46c0001b00000000ff7000000a4d000be0000012${"94040000"}31aabb`);
  assertEquals(reason(options), "31aabb");
});

Deno.test("readIpv4() drops what is no whole packet, at every length", () => {
  for (let length = 0; length < WRITTEN.length; length++) {
    assertEquals(reason(WRITTEN.subarray(0, length)), length < 20 ? "header" : "length", String(length));
  }
  const changed = (at: number, value: number) => {
    const bytes = new Uint8Array(WRITTEN);
    bytes[at] = value;
    return reason(bytes);
  };
  assertEquals([changed(0, 0x65), changed(0, 0x44), changed(3, 19)], ["header", "header", "header"]);
  assertEquals(changed(0, 0x4f), "header");
});

Deno.test("readIpv4() never throws and never reads beyond the bytes, whatever they are", () => {
  const heads = fc.constantFrom([], [0x45, 0], [0x4f, 0, 0, 60], [0x45, 0, 0xff, 0xff]);
  fc.assert(fc.property(heads, fc.uint8Array({ maxLength: 120 }), (head, rest) => {
    const bytes = new Uint8Array([...head, ...rest]);
    const read = readIpv4(bytes);
    if (read.ok) assert(read.packet.bytes.length <= bytes.length - 20);
  }));
});

Deno.test("writeIpv6() RFC 9568 section 5.1.2: our address, the group, hop limit 255, protocol 112", () => {
  assertEquals(
    toHex(writeIpv6(ip("fe80::b"), ip("ff02::12"), fromHex("31aabb"))),
    // Version 6, traffic class CS6, no flow; length, next header, hop limit.
    "6c000000" + "000370ff" + "fe80" + "00".repeat(13) + "0b" + "ff02" + "00".repeat(13) + "12" + "31aabb",
  );
});
