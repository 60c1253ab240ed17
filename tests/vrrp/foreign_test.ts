import { formatIp, parseIp } from "../../mod/base/address.ts";
import { type DropReason, DROPS } from "../../vrrp/drops.ts";
import {
  type Claim,
  claimIn,
  ForeignActives,
  FORGET_MS,
  formatMac,
  MAX_FOREIGN,
  wireClaimIn,
} from "../../vrrp/foreign.ts";
import { encodeAdvert } from "../../vrrp/packet.ts";
import { encodeReport } from "../../vrrp/report.ts";
import { assertEquals } from "../assert.ts";

const claim = (host: number, refused: DropReason | null = "unsigned"): Claim => ({
  sender: new Uint8Array([10, 0, 0, host]),
  priority: 200,
  refused,
});

Deno.test("ForeignActives() counts every advert, and tells of a sender once a minute", () => {
  const foreign = new ForeignActives();
  let told = 0;
  for (let now = 0; now < 120_000; now += 100) if (foreign.heard(claim(9), now)) told++;
  assertEquals([told, foreign.adverts], [2, 1200]);
  const [one] = foreign.list(119_950);
  assertEquals([formatIp(one!.sender), one!.adverts, one!.heardAt, one!.why], [
    "10.0.0.9",
    1200,
    119_900,
    DROPS.unsigned,
  ]);
});

Deno.test("ForeignActives() many senders at once are one line a second and a bounded list, the latest", () => {
  const foreign = new ForeignActives();
  let told = 0;
  for (let at = 0; at < 2500; at++) if (foreign.heard(claim(at % 250), at)) told++;
  assertEquals(told, 3);
  assertEquals(
    foreign.list(2500).map(({ sender }) => sender[3]),
    Array.from({ length: MAX_FOREIGN }, (_, at) => 250 - MAX_FOREIGN + at),
  );
});

Deno.test("ForeignActives() one that has gone is not shown, and one that is heard is a second Active", () => {
  const foreign = new ForeignActives();
  foreign.heard(claim(1, null), 0);
  assertEquals(foreign.list(0)[0]?.why, "it is active besides this node");
  assertEquals([foreign.knows(claim(1).sender, 10), foreign.knows(claim(2).sender, 10)], [true, false]);
  assertEquals([foreign.list(FORGET_MS), foreign.knows(claim(1).sender, FORGET_MS)], [[], false]);
  assertEquals(foreign.adverts, 1);
});

Deno.test("claimIn() finds the advert of one that says it is active, whatever follows it, and nothing else", () => {
  const bytes = (priority: number) =>
    encodeAdvert(
      { version: 3, vrid: 51, priority, intervalMs: 100, addresses: [parseIp("10.0.0.50")!] },
      null,
    );
  const found = claimIn(new Uint8Array([...bytes(200), 1, 2, 3]), "signature", 4);
  assertEquals([found?.vrid, found?.priority], [51, 200]);
  assertEquals(claimIn(bytes(200), "extension", 4)?.priority, 200);
  assertEquals(claimIn(bytes(0), "unsigned", 4), null, "it resigns");
  for (const reason of ["own", "replayed", "stale", "unproved", "foreign"] as const) {
    assertEquals(claimIn(bytes(200), reason, 4), null);
  }
  const report = { version: "0", uptimeMs: 1, maintenance: false, instances: [], pools: [], admin: [] };
  assertEquals(claimIn(encodeReport(report), "unsigned", 4), null);
  for (let length = 0; length < bytes(200).length; length++) {
    assertEquals(claimIn(bytes(200).subarray(0, length), "unsigned", 4), null);
  }
});

Deno.test("formatMac() writes it as ip does", () => {
  assertEquals(formatMac(new Uint8Array([0, 1, 0xab, 0x5e, 0, 0xff])), "00:01:ab:5e:00:ff");
});

Deno.test("wireClaimIn() reads id and priority of what is dropped for what it is, in both versions, and of no noise", () => {
  const bytes = (version: 2 | 3, priority: number) =>
    encodeAdvert(
      { version, vrid: 51, priority, intervalMs: 1000, addresses: [parseIp("10.0.0.50")!] },
      null,
    );
  for (const version of [2, 3] as const) {
    assertEquals(wireClaimIn(bytes(version, 200), "version"), { vrid: 51, priority: 200 });
    assertEquals(wireClaimIn(bytes(version, 200), "auth"), { vrid: 51, priority: 200 });
    assertEquals(wireClaimIn(bytes(version, 200), "own"), null);
    assertEquals(wireClaimIn(bytes(version, 0), "ttl"), null);
    assertEquals(wireClaimIn(bytes(version, 200).subarray(0, 7), "checksum"), null);
  }
  assertEquals(wireClaimIn(new Uint8Array(20), "checksum"), null);
});
