/** Golden packets first: they were made by other speakers of the protocol, not by this codec. */
import fc from "fast-check";
import { parseIp } from "../../mod/base/address.ts";
import {
  type Advert,
  decodeAdvert,
  type DecodedAdvert,
  encodeAdvert,
  maxAddresses,
  passwordBytes,
} from "../../vrrp/packet.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { fromHex, toHex } from "./hex.ts";

const ip = (text: string) => parseIp(text)!;
const V4_ENDS = { source: ip("192.0.2.251"), destination: ip("224.0.0.18") };
const V6_ENDS = { source: ip("fe80::c8"), destination: ip("ff02::12") };
const ADDRESSES = [ip("192.0.2.1"), ip("192.0.2.2")];
const V3: Advert = { version: 3, vrid: 10, priority: 200, intervalMs: 1000, addresses: ADDRESSES };
const V6_ADDRESSES = [ip("fe80::1"), ip("2001:db8::1")];

const GOLDEN = {
  v2: "210ac802000192edc0000201c00002020000000000000000",
  v3Message: "310ac8020064828ac0000201c0000202",
  v3Pseudo: "310ac8020064defbc0000201c0000202",
  v6: "310a640200643f5dfe80000000000000000000000000000120010db8000000000000000000000001",
};

const v3 = { version: 3, family: 4, ends: V4_ENDS, ttl: 255 } as const;
const v2 = { version: 2, family: 4, ends: V4_ENDS, ttl: 255 } as const;
const v6 = { version: 3, family: 6, ends: V6_ENDS, ttl: 255 } as const;
const reason = (decoded: DecodedAdvert) => decoded.ok ? "ok" : decoded.reason;

/** `bytes` with some replaced and the checksum over the message made right again. */
function patched(hex: string, changes: Record<number, number>): Uint8Array {
  const bytes = fromHex(hex);
  for (const [at, value] of Object.entries(changes)) bytes[Number(at)] = value;
  bytes[6] = bytes[7] = 0;
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes[at]! * 256 + (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  bytes[6] = (~sum & 0xffff) >> 8;
  bytes[7] = ~sum & 0xff;
  return bytes;
}

Deno.test("encodeAdvert() writes the golden packets", () => {
  assertEquals(toHex(encodeAdvert({ ...V3, version: 2 }, null)), GOLDEN.v2);
  assertEquals(toHex(encodeAdvert({ ...V3, version: 2 }, V4_ENDS)), GOLDEN.v2);
  assertEquals(toHex(encodeAdvert(V3, null)), GOLDEN.v3Message);
  assertEquals(toHex(encodeAdvert(V3, V4_ENDS)), GOLDEN.v3Pseudo);
  assertEquals(toHex(encodeAdvert({ ...V3, priority: 100, addresses: V6_ADDRESSES }, V6_ENDS)), GOLDEN.v6);
});

Deno.test("decodeAdvert() reads the golden packets and says what the checksum covered", () => {
  assertEquals(decodeAdvert(fromHex(GOLDEN.v3Pseudo), v3), {
    ok: true,
    advert: V3,
    checksum: "pseudoHeader",
    length: 16,
  });
  assertEquals(decodeAdvert(fromHex(GOLDEN.v3Message), v3), {
    ok: true,
    advert: V3,
    checksum: "message",
    length: 16,
  });
  assertEquals(decodeAdvert(fromHex(GOLDEN.v2), v2), {
    ok: true,
    advert: { ...V3, version: 2 },
    checksum: "message",
    length: 24,
  });
  assertEquals(decodeAdvert(fromHex(GOLDEN.v6), v6), {
    ok: true,
    advert: { ...V3, priority: 100, addresses: V6_ADDRESSES },
    checksum: "pseudoHeader",
    length: 40,
  });
});

Deno.test("decodeAdvert() without the ends of the packet believes the sum over the message only", () => {
  assertEquals(reason(decodeAdvert(fromHex(GOLDEN.v3Message), { ...v3, ends: null })), "ok");
  assertEquals(reason(decodeAdvert(fromHex(GOLDEN.v3Pseudo), { ...v3, ends: null })), "checksum");
});

Deno.test("decodeAdvert() RFC 9568 section 5.2.8: on IPv6 the sum covers the pseudo-header, nothing else is right", () => {
  const messageOnly = encodeAdvert({ ...V3, addresses: V6_ADDRESSES }, null);
  assertEquals(reason(decodeAdvert(messageOnly, v6)), "checksum");
});

Deno.test("decodeAdvert() RFC 9568 section 7.1: every malformed packet is dropped with its reason", () => {
  const cases: [string, Uint8Array, Parameters<typeof decodeAdvert>[1]][] = [
    ["ttl", fromHex(GOLDEN.v3Pseudo), { ...v3, ttl: 254 }],
    ["version", fromHex(GOLDEN.v2), v3],
    ["version", fromHex(GOLDEN.v3Message), v2],
    ["type", patched(GOLDEN.v3Message, { 0: 0x32 }), v3],
    ["type", patched(GOLDEN.v3Message, { 0: 0x30 }), v3],
    ["vrid", patched(GOLDEN.v3Message, { 1: 0 }), v3],
    ["count", patched("310a0000006400000", { 2: 1 }).subarray(0, 8), v3],
    ["length", patched(GOLDEN.v3Message, { 3: 3 }), v3],
    ["length", fromHex(GOLDEN.v3Pseudo), { ...v3, family: 6, ends: V6_ENDS }],
    ["interval", patched(GOLDEN.v3Message, { 4: 0xf0, 5: 0 }), v3],
    ["interval", patched(GOLDEN.v2, { 5: 0 }), v2],
    ["auth", patched(GOLDEN.v2, { 4: 1 }), v2],
    ["checksum", fromHex(GOLDEN.v3Message.replace("828a", "828b")), v3],
    ["checksum", fromHex(GOLDEN.v2.replace("92ed", "0000")), v2],
    ["checksum", fromHex(GOLDEN.v3Pseudo), { ...v3, ends: V6_ENDS }],
  ];
  for (const [expected, bytes, options] of cases) {
    assertEquals(reason(decodeAdvert(bytes, options)), expected, toHex(bytes));
  }
});

Deno.test("decodeAdvert() RFC 9568 section 5.2.6: reserved bits are ignored", () => {
  const decoded = decodeAdvert(patched(GOLDEN.v3Message, { 4: 0xf0 }), v3);
  assert(decoded.ok);
  assertEquals(decoded.advert.intervalMs, 1000);
});

Deno.test("decodeAdvert() fed at every length is complete only at the whole packet, and leaves what follows", () => {
  for (const [hex, options] of [[GOLDEN.v2, v2], [GOLDEN.v3Pseudo, v3], [GOLDEN.v6, v6]] as const) {
    const bytes = fromHex(hex);
    for (let length = 0; length < bytes.length; length++) {
      assertEquals(reason(decodeAdvert(bytes.subarray(0, length), options)), "length", `${length} of ${hex}`);
    }
    const followed = decodeAdvert(fromHex(hex + "deadbeef"), options);
    assert(followed.ok);
    assertEquals(followed.length, bytes.length);
  }
});

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const adverts = fc.oneof(fc.constant(4 as const), fc.constant(6 as const)).chain((family) => {
  const width = family === 4 ? 4 : 16;
  return fc.record({
    family: fc.constant(family),
    source: bytesOf(width),
    destination: bytesOf(width),
    vrid: fc.integer({ min: 1, max: 255 }),
    priority: fc.integer({ min: 0, max: 255 }),
    intervalMs: fc.integer({ min: 1, max: 4095 }).map((centiseconds) => centiseconds * 10),
    addresses: fc.array(bytesOf(width), { minLength: 1, maxLength: 255 }),
  });
});

Deno.test("decodeAdvert() reads back whatever encodeAdvert() writes", () => {
  fc.assert(fc.property(adverts, ({ family, source, destination, ...rest }) => {
    const advert: Advert = { version: 3, ...rest };
    const ends = { source, destination };
    const decoded = decodeAdvert(encodeAdvert(advert, ends), { version: 3, family, ends, ttl: 255 });
    assert(decoded.ok);
    assertEquals(decoded.advert, advert);
  }));
});

Deno.test("decodeAdvert() notices any single changed byte", () => {
  fc.assert(fc.property(adverts, fc.nat(), fc.integer({ min: 1, max: 255 }), (made, where, change) => {
    const { family, source, destination, ...rest } = made;
    const bytes = encodeAdvert({ version: 3, ...rest }, { source, destination });
    bytes[where % bytes.length]! ^= change;
    const decoded = decodeAdvert(bytes, { version: 3, family, ends: { source, destination }, ttl: 255 });
    // On IPv4 the sum over the message alone is right too, once in 65536 times.
    if (decoded.ok) assertEquals(decoded.checksum, "message");
  }));
});

Deno.test("decodeAdvert() never throws, whatever the bytes", () => {
  const options = fc.record({
    version: fc.constantFrom(2 as const, 3 as const),
    family: fc.constantFrom(4 as const, 6 as const),
    ends: fc.constantFrom(null, V4_ENDS),
    ttl: fc.constantFrom(null, 255),
  });
  const head = fc.constantFrom([], [0x31], [0x21], [0x31, 1, 1, 1], [0x21, 1, 1, 2]);
  fc.assert(fc.property(head, fc.uint8Array({ maxLength: 100 }), options, (start, rest, chosen) => {
    const decoded = decodeAdvert(new Uint8Array([...start, ...rest]), chosen);
    if (decoded.ok) assert(decoded.length <= start.length + rest.length);
  }));
});

Deno.test("encodeAdvert() refuses what no packet can say", () => {
  const bad: Partial<Advert>[] = [
    { vrid: 0 },
    { vrid: 256 },
    { priority: 256 },
    { priority: 1.5 },
    { intervalMs: 0 },
    { intervalMs: 1005 },
    { intervalMs: 40_960 },
    { version: 2, intervalMs: 1500 },
    { version: 2, addresses: V6_ADDRESSES },
    { addresses: [] },
    { addresses: [ip("192.0.2.1"), ip("fe80::1")] },
    { addresses: Array.from({ length: 256 }, () => ip("192.0.2.1")) },
  ];
  for (const change of bad) {
    assertThrows(
      () => encodeAdvert({ ...V3, ...change }, null),
      RangeError,
      "Cannot encode an advertisement",
    );
  }
});

Deno.test("decodeAdvert() RFC 2338 section 7.1: type 1 must carry the configured password, and none the type 0", () => {
  const password = passwordBytes("hunter2");
  const bytes = encodeAdvert({ ...V3, version: 2 }, null, password);
  assertEquals(toHex(bytes).slice(8, 12), "0101");
  assertEquals(toHex(bytes).slice(32), toHex(new TextEncoder().encode("hunter2\0")));
  const decoded = decodeAdvert(bytes, { ...v2, password });
  assert(decoded.ok);
  assertEquals(decoded.advert, { ...V3, version: 2 });
  const cases: [Uint8Array, Uint8Array | null][] = [
    [bytes, null],
    [bytes, passwordBytes("hunter3")],
    [bytes, passwordBytes("")],
    [fromHex(GOLDEN.v2), password],
    [patched(toHex(bytes), { 4: 2 }), password],
  ];
  for (const [packet, wanted] of cases) {
    assertEquals(reason(decodeAdvert(packet, { ...v2, password: wanted })), "auth", toHex(packet));
  }
  // RFC 3768 section 5.3.10: what follows type 0 is not looked at.
  assertEquals(reason(decodeAdvert(patched(GOLDEN.v2, { 23: 7 }), v2)), "ok");
  // Version 3 has no authentication, whatever is configured.
  assertEquals(reason(decodeAdvert(fromHex(GOLDEN.v3Pseudo), { ...v3, password })), "ok");
  assertThrows(() => passwordBytes("nine chars"), RangeError);
});

Deno.test("maxAddresses() are those that fit a packet of the LAN, or a datagram of ours, and no more", () => {
  const length = (count: number) =>
    encodeAdvert({ ...V3, addresses: Array.from({ length: count }, () => V6_ADDRESSES[0]!) }, V6_ENDS).length;
  assertEquals([maxAddresses("vrrp2", 4), maxAddresses("vrrp3", 4), maxAddresses("udp", 4)], [255, 255, 255]);
  const wire = maxAddresses("vrrp3", 6);
  assert(40 + length(wire) <= 1500 && 40 + length(wire + 1) > 1500);
  const udp = maxAddresses("udp", 6);
  assert(length(udp) <= 1188 && length(udp + 1) > 1188);
});
