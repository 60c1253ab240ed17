/** Layouts are those of linux/netlink.h, if_addr.h and if_link.h; the lab tests show that the kernel reads them so. */
import fc from "fast-check";
import { parseIp } from "../../mod/base/address.ts";
import {
  type AddressSetting,
  decodeNetlink,
  encodeDeleteAddress,
  encodeGetNeighbour,
  encodeListAddresses,
  encodeListLinks,
  encodeResolveNeighbour,
  encodeSetAddress,
} from "../../vrrp/netlink.ts";
import { assert, assertEquals } from "../assert.ts";
import { fromHex, toHex } from "./hex.ts";

const V4: AddressSetting = {
  address: parseIp("10.77.0.50")!,
  prefix: 32,
  leaseSeconds: 3,
  noPrefixRoute: false,
};
const V6: AddressSetting = {
  address: parseIp("fd77::50")!,
  prefix: 64,
  leaseSeconds: 3,
  noPrefixRoute: true,
};

/** A message of the kernel: type and body as hexadecimal digits. */
function message(type: number, body: string): string {
  const length = 16 + body.length / 2;
  const header = new DataView(new ArrayBuffer(16));
  header.setUint32(0, length, true);
  header.setUint16(4, type, true);
  header.setUint32(8, 7, true);
  return toHex(new Uint8Array(header.buffer)) + body;
}

Deno.test("encodeSetAddress() IPv4: create or replace, valid and preferred for the lease", () => {
  assertEquals(
    toHex(encodeSetAddress(2, V4, 9)),
    "44000000" + "1400" + "0505" + "09000000" + "00000000" + // 68 bytes, RTM_NEWADDR, REQUEST ACK REPLACE CREATE
      "02200000" + "02000000" + // AF_INET, /32, interface 2
      "0800" + "0200" + "0a4d0032" + "0800" + "0100" + "0a4d0032" + // IFA_LOCAL, IFA_ADDRESS
      "0800" + "0800" + "00000000" + // IFA_FLAGS
      "1400" + "0600" + "03000000" + "03000000" + "00000000" + "00000000", // IFA_CACHEINFO
  );
});

Deno.test("encodeSetAddress() IPv6: no duplicate detection, no route, never preferred as a source", () => {
  const hex = toHex(encodeSetAddress(2, V6, 9));
  assert(hex.includes("0800" + "0800" + "02020000"), "IFA_F_NODAD and IFA_F_NOPREFIXROUTE");
  assert(hex.endsWith("1400" + "0600" + "00000000" + "03000000" + "00000000" + "00000000"));
});

Deno.test("encodeSetAddress() without a lease is for ever", () => {
  for (const setting of [V4, V6]) {
    const hex = toHex(encodeSetAddress(2, { ...setting, leaseSeconds: null }, 9));
    assert(hex.endsWith("ffffffff" + "ffffffff" + "00000000" + "00000000"));
  }
});

Deno.test("encodeDeleteAddress() and the listings are requests as the kernel wants them", () => {
  assertEquals(
    toHex(encodeDeleteAddress(2, V4, 9)),
    "28000000" + "1500" + "0500" + "09000000" + "00000000" + "02200000" + "02000000" +
      "08000200" + "0a4d0032" + "08000100" + "0a4d0032",
  );
  assertEquals(
    toHex(encodeListAddresses(9)),
    "18000000" + "1600" + "0103" + "0900000000000000" + "00".repeat(8),
  );
  assertEquals(
    toHex(encodeListLinks(9)),
    "20000000" + "1200" + "0103" + "0900000000000000" + "00".repeat(16),
  );
});

Deno.test("encodeGetNeighbour() asks for one, and encodeResolveNeighbour() uses it as a packet would", () => {
  assertEquals(
    toHex(encodeGetNeighbour(2, V4.address, 9)),
    "24000000" + "1e00" + "0500" + "09000000" + "00000000" + "02000000" + "02000000" + "00000000" +
      "08000100" + "0a4d0032",
  );
  assertEquals(
    toHex(encodeResolveNeighbour(2, V6.address, 9)),
    "30000000" + "1c00" + "0504" + "09000000" + "00000000" + "0a000000" + "02000000" + "0000" + "01" + "00" +
      "14000100" + "fd770000000000000000000000000050",
  );
});

Deno.test("decodeNetlink() reads a neighbour, with a MAC or while it is being asked for", () => {
  const head = "02000000" + "02000000" + "02000001" + "08000100" + "0a4d0032";
  const [known, asked] = [head + "0a000200" + "0242ac1100020000", head];
  const address = parseIp("10.77.0.50")!;
  assertEquals(decodeNetlink(fromHex(message(28, known))), [
    { kind: "neighbour", address, mac: fromHex("0242ac110002") },
  ]);
  assertEquals(decodeNetlink(fromHex(message(28, asked))), [{ kind: "neighbour", address, mac: null }]);
  // A bridge's own table has neighbours without an address.
  assertEquals(decodeNetlink(fromHex(message(28, "07000000" + "02000000" + "02000001"))), []);
});

Deno.test("decodeNetlink() reads addresses with lease, flags and primary or secondary", () => {
  const body = "02188100" + "02000000" + // IPv4 /24, flags SECONDARY and PERMANENT, interface 2
    "08000100" + "0a4d0032" + "08000200" + "0a4d0032" + "09000300" + "6574683000000000" + "08000800" +
    "81000000" +
    "14000600" + "ffffffff" + "ffffffff" + "0000000000000000";
  assertEquals(decodeNetlink(fromHex(message(20, body))), [{
    kind: "address",
    gone: false,
    address: {
      index: 2,
      address: parseIp("10.77.0.50")!,
      prefix: 24,
      leaseSeconds: null,
      noPrefixRoute: false,
      secondary: true,
    },
  }]);
  const leased = "0a800200" + "03000000" + "14000100" + "fd770000000000000000000000000050" + "08000800" +
    "02020000" +
    "14000600" + "00000000" + "05000000" + "0000000000000000";
  assertEquals(decodeNetlink(fromHex(message(21, leased))), [{
    kind: "address",
    gone: true,
    address: {
      index: 3,
      address: parseIp("fd77::50")!,
      prefix: 128,
      leaseSeconds: 5,
      noPrefixRoute: true,
      secondary: false,
    },
  }]);
});

Deno.test("decodeNetlink() IPv4 on a point-to-point link: the address is ours, not the other side's", () => {
  const body = "02200000" + "02000000" + "08000100" + "0a000002" + "08000200" + "0a000001";
  const [decoded] = decodeNetlink(fromHex(message(20, body)));
  assert(decoded?.kind === "address");
  assertEquals(decoded.address.address, parseIp("10.0.0.1")!);
});

Deno.test("decodeNetlink() reads links: up, running, and a MAC only where there are neighbours", () => {
  const name = "09000300" + "6574683000000000";
  const mac = "0a000100" + "0200000000010000";
  const link = (flags: string) => message(16, "00000100" + "02000000" + flags + "00000000" + name + mac);
  const cases: [string, boolean, boolean, boolean][] = [
    ["43100100", true, true, true], // UP, BROADCAST, RUNNING, MULTICAST, LOWER_UP
    ["03100000", true, false, true], // no carrier
    ["42100000", false, false, true], // down
    ["49000100", true, true, false], // loopback
    ["c1000100", true, true, false], // no ARP
  ];
  for (const [flags, up, running, hasMac] of cases) {
    const [decoded] = decodeNetlink(fromHex(link(flags)));
    assert(decoded?.kind === "link");
    assertEquals([decoded.link.name, decoded.link.index], ["eth0", 2]);
    assertEquals(
      [decoded.link.up, decoded.link.running, decoded.link.mac !== null],
      [up, running, hasMac],
      flags,
    );
  }
});

Deno.test("decodeNetlink() reads the end of a request: done, acknowledged, refused", () => {
  assertEquals(decodeNetlink(fromHex(message(3, "00000000"))), [{ kind: "done", sequence: 7, errno: 0 }]);
  assertEquals(decodeNetlink(fromHex(message(2, "00000000"))), [{ kind: "done", sequence: 7, errno: 0 }]);
  assertEquals(decodeNetlink(fromHex(message(2, "ffffffff"))), [{ kind: "done", sequence: 7, errno: 1 }]);
});

Deno.test("decodeNetlink() passes over unknown messages and reads all that are in one delivery", () => {
  const unknown = message(99, "00112233");
  const done = message(3, "00000000");
  assertEquals(decodeNetlink(fromHex(unknown + done + unknown + done)).length, 2);
});

Deno.test("decodeNetlink() fed at every length, and any bytes at all, never throws nor reads past the end", () => {
  const whole = fromHex(message(20, toHex(encodeSetAddress(2, V4, 9)).slice(32)) + message(3, "00000000"));
  for (let length = 0; length < whole.length; length++) {
    const decoded = decodeNetlink(whole.subarray(0, length));
    assertEquals(decoded.length, length >= 68 ? 1 : 0, `${length}`);
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), (noise) => void decodeNetlink(noise)));
  fc.assert(fc.property(fc.nat(), fc.integer({ min: 0, max: 255 }), (where, value) => {
    const changed = whole.slice();
    changed[where % changed.length] = value;
    decodeNetlink(changed);
  }));
  const type = fc.constantFrom(2, 3, 16, 17, 20, 21);
  fc.assert(fc.property(type, fc.uint8Array({ maxLength: 80 }), (chosen, body) => {
    decodeNetlink(fromHex(message(chosen, toHex(body))));
  }));
});
