/** Every rule for receiving, by the RFC's section: the packet before it is good, and one change makes it bad. */
import fc from "fast-check";
import { parseIp } from "../../mod/base/address.ts";
import { judgePacket, type WireRouter } from "../../vrrp/judge.ts";
import type { RawPacket } from "../../vrrp/ip_header.ts";
import { type Advert, encodeAdvert } from "../../vrrp/packet.ts";
import { assert, assertEquals } from "../assert.ts";

const ip = (text: string) => parseIp(text)!;
const [LOCAL, PEER, GROUP] = [ip("10.77.0.11"), ip("10.77.0.12"), ip("224.0.0.18")];
const [LOCAL6, PEER6, GROUP6] = [ip("fe80::11"), ip("fe80::12"), ip("ff02::12")];
const V3: Advert = { version: 3, vrid: 51, priority: 100, intervalMs: 1000, addresses: [ip("10.77.0.100")] };
const V2: Advert = { ...V3, version: 2, vrid: 52 };
const V6: Advert = { ...V3, vrid: 53, addresses: [ip("fe80::100"), ip("fd77::100")] };
const ROUTERS: Record<number, WireRouter> = {
  51: { version: 3, password: null, intervalMs: 1000, addresses: V3.addresses },
  52: { version: 2, password: null, intervalMs: 1000, addresses: V2.addresses },
  53: { version: 3, password: null, intervalMs: 1000, addresses: V6.addresses },
  54: { version: 3, password: null, intervalMs: 1000, addresses: [ip("fd77::100")] },
};
const router = (vrid: number) => ROUTERS[vrid] ?? null;
const [MULTICAST, UNICAST] = [{ family: 4, peers: [] }, { family: 4, peers: [PEER] }] as const;
const SIX = { family: 6, peers: [] } as const;

function packet(advert: Advert, change: Partial<RawPacket> = {}): RawPacket {
  const six = advert.addresses[0]!.length === 16;
  const facts = { source: six ? PEER6 : PEER, destination: six ? GROUP6 : GROUP, ttl: 255, ...change };
  return { bytes: encodeAdvert(advert, facts), ...facts };
}

/** `packet` with `bytes` put in at `at`, and the checksum right over the message alone. */
function forged(advert: Advert, at: number, ...put: number[]): RawPacket {
  const made = packet(advert);
  made.bytes.set(put, at);
  made.bytes.set([0, 0], 6);
  let sum = 0;
  for (let word = 0; word < made.bytes.length; word += 2) {
    sum += made.bytes[word]! << 8 | (made.bytes[word + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  made.bytes.set([(~sum & 0xffff) >> 8, ~sum & 0xff], 6);
  return made;
}

function verdict(from: RawPacket, settings: Parameters<typeof judgePacket>[2] = MULTICAST): string {
  const judged = judgePacket(from, settings.family === 4 ? LOCAL : LOCAL6, settings, router);
  return judged.ok ? `${judged.advert.vrid} ${judged.checksum}` : judged.reason;
}

Deno.test("judgePacket() RFC 9568 section 7.1 and RFC 3768 section 7.1: good packets of each version and family", () => {
  assertEquals(verdict(packet(V3)), "51 pseudoHeader");
  assertEquals(verdict(packet(V2)), "52 message");
  assertEquals(verdict(packet(V6), SIX), "53 pseudoHeader");
  assertEquals(verdict(packet(V3, { destination: LOCAL }), UNICAST), "51 pseudoHeader");
});

Deno.test("judgePacket() RFC 9568 section 5.2.8: on IPv4 a sum over the message alone is accepted too", () => {
  assertEquals(verdict({ ...packet(V3), bytes: encodeAdvert(V3, null) }), "51 message");
  assertEquals(verdict({ ...packet(V6), bytes: encodeAdvert(V6, null) }, SIX), "checksum");
});

Deno.test("judgePacket() RFC 9568 section 7.1: TTL and hop limit must be 255", () => {
  for (const ttl of [0, 1, 64, 254]) {
    assertEquals([verdict(packet(V3, { ttl })), verdict(packet(V6, { ttl }), SIX)], ["ttl", "ttl"]);
  }
});

Deno.test("judgePacket() RFC 9568 section 7.1: version, type, length, checksum, id", () => {
  assertEquals(verdict(forged(V3, 0, 0x21)), "version");
  assertEquals(verdict(forged(V2, 0, 0x31)), "version");
  assertEquals(verdict(forged(V3, 0, 0x32)), "type");
  assertEquals(verdict(forged(V3, 3, 2)), "length");
  assertEquals(verdict({ ...packet(V3), bytes: packet(V3).bytes.subarray(0, 11) }), "length");
  assertEquals(verdict({ ...packet(V3), bytes: new Uint8Array([0x31]) }), "length");
  assertEquals(verdict({ ...packet(V3), bytes: new Uint8Array(0) }), "length");
  const broken = packet(V3);
  broken.bytes[2] = broken.bytes[2]! ^ 1;
  assertEquals(verdict(broken), "checksum");
  assertEquals(verdict(forged(V3, 1, 0)), "vrid");
  assertEquals(verdict(forged(V3, 1, 99)), "vrid");
});

Deno.test("judgePacket() RFC 9568 section 7.1, erratum 8299: a packet without addresses is dropped", () => {
  assertEquals(verdict(forged(V3, 3, 0)), "checksum");
  const empty = forged(V3, 3, 0).bytes.slice(0, 8);
  const sum = ~(0x3133 + 0x6400 + 1000 / 10) & 0xffff;
  empty.set([sum >> 8, sum & 0xff], 6);
  assertEquals(verdict({ ...packet(V3), bytes: empty }), "count");
});

Deno.test("judgePacket() RFC 9568 section 7.1, erratum 8300: on IPv6 the first address is link-local, as ours is", () => {
  const turned = { ...V6, addresses: [...V6.addresses].reverse() };
  assertEquals(verdict(packet(turned), SIX), "linkLocal");
  assertEquals(verdict(packet({ ...turned, vrid: 54 }), SIX), "54 pseudoHeader");
});

Deno.test("judgePacket() an interval of 0 would make a backup take over at once", () => {
  assertEquals([verdict(forged(V3, 4, 0, 0)), verdict(forged(V3, 4, 0xf0, 0))], ["interval", "interval"]);
});

Deno.test("judgePacket() RFC 3768 section 7.1: version 2 wants our interval; version 3 takes the sender's", () => {
  assertEquals(verdict(packet({ ...V2, intervalMs: 2000 })), "interval");
  assertEquals(verdict(packet({ ...V3, intervalMs: 2000 })), "51 pseudoHeader");
});

Deno.test("judgePacket() RFC 3768 section 7.1: another authentication than ours is dropped", () => {
  for (const type of [1, 2, 255]) assertEquals(verdict(forged(V2, 4, type)), "auth");
});

Deno.test("judgePacket() RFC 9568 section 7.1: bytes after a complete packet are ignored", () => {
  for (const [advert, settings] of [[V3, MULTICAST], [V2, MULTICAST], [V6, SIX]] as const) {
    const made = packet(advert);
    const bytes = new Uint8Array([...made.bytes, 1, 2, 3]);
    assertEquals(verdict({ ...made, bytes }, settings), verdict(made, settings));
  }
});

Deno.test("judgePacket() hears neither itself, nor strangers where peers are named, nor what took another way", () => {
  assertEquals(verdict(packet(V3, { source: LOCAL })), "own");
  assertEquals(verdict(packet(V3, { source: ip("10.77.0.13"), destination: LOCAL }), UNICAST), "foreign");
  assertEquals(verdict(packet(V3, { destination: LOCAL })), "destination");
  assertEquals(verdict(packet(V3), UNICAST), "destination");
  // What is for a socket with other peers is none of this one's, and is not told of.
  assertEquals(verdict(packet({ ...V3, vrid: 99 }, { source: ip("10.77.0.13") }), UNICAST), "vrid");
});

Deno.test("judgePacket() fed at every length is good only as a whole", () => {
  for (const [advert, settings] of [[V3, MULTICAST], [V2, MULTICAST], [V6, SIX]] as const) {
    const made = packet(advert);
    for (let length = 0; length < made.bytes.length; length++) {
      const part = { ...made, bytes: made.bytes.subarray(0, length) };
      assertEquals(verdict(part, settings), "length", String(length));
    }
  }
});

Deno.test("judgePacket() never throws, and what it lets through is a packet of ours to the last bit", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc.tuple(fc.constantFrom(V3, V2), fc.nat(), fc.nat(255)).map(([advert, at, value]) => {
      const made = packet(advert).bytes;
      made[at % made.length] = value;
      return made;
    }),
  );
  fc.assert(
    fc.property(bytes, fc.nat(255), (bytes, ttl) => {
      const judged = judgePacket({ ...packet(V3), bytes, ttl }, LOCAL, MULTICAST, router);
      if (!judged.ok) return;
      assertEquals(ttl, 255);
      const { vrid, version, intervalMs, addresses } = judged.advert;
      assertEquals(router(vrid)?.version, version);
      assert(intervalMs > 0 && addresses.length > 0);
    }),
    { numRuns: 2000 },
  );
});
