/** The wire over sockets of memory; real ones need root, see tests/lab/interop_test.ts. Loopback has an address. */
import { formatIp, parseIp } from "../../mod/base/address.ts";
import type { Link } from "../../vrrp/netlink.ts";
import { type Advert, decodeAdvert, encodeAdvert } from "../../vrrp/packet.ts";
import type { RawOptions } from "../../vrrp/raw_io.ts";
import { Wire } from "../../vrrp/wire_io.ts";
import { assertEquals } from "../assert.ts";

const ip = (text: string) => parseIp(text)!;
const [GROUP, PEER] = [ip("224.0.0.18"), ip("127.0.0.2")];
const V3: Advert = { version: 3, vrid: 51, priority: 100, intervalMs: 1000, addresses: [ip("10.0.0.1")] };

class Fake implements Disposable {
  link: Link | null = { index: 1, name: "lo", up: true, running: true, mac: null };
  refusal: string | null = null;
  failure: string | null = null;
  readonly told: string[] = [];
  readonly sent: [string, Uint8Array][] = [];
  opened: RawOptions[] = [];
  closed = 0;
  readonly wire: Wire;

  constructor(peers: readonly string[] = [], vips: readonly string[] = [], through?: (link: Link) => Link) {
    const addresses = V3.addresses;
    this.wire = new Wire({
      settings: { device: "lo", family: 4, keys: [], peers: peers.map(ip) },
      vips: () => vips.map(ip),
      router: (vrid) => vrid === 51 ? { version: 3, password: null, intervalMs: 1000, addresses } : null,
      findLink: () => this.link,
      ...through === undefined ? {} : { through },
      open: (options) => {
        if (this.refusal !== null) throw new Error(this.refusal);
        this.opened.push(options);
        return {
          destinations: options.peers.length > 0 ? options.peers : [GROUP],
          send: (bytes, to) => {
            this.sent.push([formatIp(to), new Uint8Array(bytes)]);
            return this.failure;
          },
          close: () => void this.closed++,
        };
      },
      handler: {
        onVoice: (local, reason) => this.told.push(local === null ? reason : `voice ${formatIp(local)}`),
        onWake: () => this.told.push("wake"),
        onAdvert: ({ priority }, source) => this.told.push(`advert ${priority} of ${formatIp(source)}`),
        onDropped: (reason, source) => this.told.push(`${reason} of ${source}`),
        onClaim: ({ vrid }, _source, reason) => this.told.push(`claim ${vrid} ${reason}`),
        onProblem: (problem) => this.told.push(problem),
      },
    });
    this.wire.start();
  }

  hear(bytes: Uint8Array, ttl = 255): void {
    this.opened.at(-1)!.onPacket({ bytes, source: PEER, destination: GROUP, ttl });
  }

  [Symbol.dispose](): void {
    this.wire.close();
  }
}

Deno.test("Wire() speaks from the interface's own address, and hears adverts, counting what their sums cover", () => {
  using fake = new Fake();
  fake.hear(encodeAdvert(V3, { source: PEER, destination: GROUP }));
  fake.hear(encodeAdvert({ ...V3, priority: 7 }, null));
  fake.hear(encodeAdvert(V3, null), 254);
  fake.hear(encodeAdvert({ ...V3, vrid: 9 }, null));
  assertEquals(fake.told, [
    "voice 127.0.0.1",
    "wake",
    "advert 100 of 127.0.0.2",
    "wake",
    "advert 7 of 127.0.0.2",
    "wake",
    "ttl of 127.0.0.2",
    "claim 51 ttl",
    "wake",
    "vrid of 127.0.0.2",
  ]);
  assertEquals(fake.wire.checksums, { message: 1, pseudoHeader: 1 });
  assertEquals([fake.wire.dropped.ttl, fake.wire.dropped.vrid], [1, 1]);
});

Deno.test("send() gives each destination its own checksum, and is true while anyone is reached", () => {
  using fake = new Fake(["127.0.0.2", "127.0.0.3"]);
  assertEquals(fake.wire.send(V3, null), true);
  assertEquals(fake.sent.map(([to]) => to), ["127.0.0.2", "127.0.0.3"]);
  for (const [to, bytes] of fake.sent) {
    const ends = { source: ip("127.0.0.1"), destination: ip(to) };
    const decoded = decodeAdvert(bytes, { version: 3, family: 4, ends, ttl: 255 });
    assertEquals(decoded.ok && decoded.checksum, "pseudoHeader");
  }
  fake.failure = "Cannot send";
  assertEquals([fake.wire.send(V3, null), fake.told.at(-1)], [false, "Cannot send"]);
});

Deno.test("look() tells once why it is mute, and speaks again when the interface is back, by a new socket", () => {
  using fake = new Fake();
  fake.link = null;
  for (let times = 0; times < 3; times++) fake.wire.look();
  assertEquals([fake.told, fake.closed, fake.wire.local], [
    ["voice 127.0.0.1", "there is no interface lo"],
    1,
    null,
  ]);
  assertEquals(fake.wire.send(V3, null), false);
  fake.link = { index: 7, name: "lo", up: true, running: true, mac: null };
  fake.refusal = "Cannot open a raw socket: it needs CAP_NET_RAW";
  fake.wire.look();
  assertEquals(fake.told.at(-1), "cannot speak on lo: Cannot open a raw socket: it needs CAP_NET_RAW");
  fake.refusal = null;
  fake.wire.look();
  assertEquals([fake.told.at(-1), fake.opened.length], ["voice 127.0.0.1", 2]);
  fake.link = { ...fake.link, index: 8 };
  fake.wire.look();
  assertEquals([fake.opened.length, fake.closed], [3, 2]);
});

Deno.test("look() never speaks from a virtual address", () => {
  using fake = new Fake([], ["127.0.0.1"]);
  assertEquals([fake.told, fake.opened.length], [["lo has no IPv4 address of its own"], 0]);
});

Deno.test("look() speaks through the interface with the virtual MAC, from the address of the one below", () => {
  let answer: Link | Error = { index: 9, name: "vrrp.51", up: true, running: true, mac: null };
  using fake = new Fake([], [], () => {
    if (answer instanceof Error) throw answer;
    return answer;
  });
  assertEquals([fake.opened[0]?.link.name, fake.told], ["vrrp.51", ["voice 127.0.0.1"]]);
  // Taken away by somebody, it is made anew, with another index.
  answer = { ...answer, index: 10 };
  fake.wire.look();
  assertEquals([fake.opened.length, fake.closed], [2, 1]);
  answer = new Error("Cannot make vrrp.51: operation not permitted");
  fake.wire.look();
  assertEquals([fake.told.at(-1), fake.closed], [
    "cannot speak on lo: Cannot make vrrp.51: operation not permitted",
    2,
  ]);
});
