import fc from "fast-check";
import { formatIp, parseIp } from "../../mod/base/address.ts";
import type { InterfaceAddress } from "../../vrrp/netlink.ts";
import {
  absentVips,
  leaseSecondsFor,
  mayHaveSecondaries,
  presentVips,
  removalOrder,
  renewIntervalMs,
  victims,
  type Vip,
  vipSetting,
} from "../../vrrp/vip.ts";
import { assert, assertEquals } from "../assert.ts";

function vip(text: string): Vip {
  const [address, prefix] = text.split("/");
  return { address: parseIp(address!)!, prefix: Number(prefix) };
}

function own(text: string, secondary = false): InterfaceAddress {
  return { ...vip(text), index: 2, leaseSeconds: null, noPrefixRoute: false, secondary };
}

const text = (addresses: readonly Vip[]) => addresses.map(({ address }) => formatIp(address));

Deno.test("leaseSecondsFor() is three intervals, in whole seconds, at least one", () => {
  assertEquals([10, 100, 333, 334, 1000, 40_950].map(leaseSecondsFor), [1, 1, 1, 2, 3, 123]);
});

Deno.test("renewIntervalMs() has three renewals strictly within every lease", () => {
  fc.assert(fc.property(fc.integer({ min: 10, max: 40_950 }), (interval) => {
    const lease = leaseSecondsFor(interval);
    assert(3 * renewIntervalMs(lease) < lease * 1000);
  }));
});

Deno.test("vipSetting() IPv6 brings no route where another address has brought it, and only there", () => {
  const route = (text: string, present: InterfaceAddress[]) =>
    vipSetting(vip(text), present, 3).noPrefixRoute;
  assertEquals(route("fd77::50/64", [own("fd77::1/64")]), true);
  assertEquals(route("fd77::50/64", [own("fd77:0:0:1::1/64")]), false);
  assertEquals(route("fd77::50/128", [own("fd77::1/64")]), false);
  assertEquals(route("fd77::50/64", [own("fd77::50/64")]), false);
  assertEquals(route("10.0.0.50/24", [own("10.0.0.1/24")]), false);
  assertEquals(route("fd77::50/61", [own("fd77:0:0:7::1/61")]), true);
  assertEquals(route("fd77::50/61", [own("fd77:0:0:8::1/61")]), false);
});

Deno.test("presentVips() and absentVips() go by the address, whatever its prefix on the interface", () => {
  const present = [own("10.0.0.1/24"), own("10.0.0.50/24"), own("fd77::50/64")];
  const vips = [vip("10.0.0.50/32"), vip("10.0.0.51/32"), vip("fd77::50/128")];
  assertEquals(presentVips(present, vips).map(({ prefix }) => prefix), [24, 64]);
  assertEquals(text(absentVips(present, vips)), ["10.0.0.51"]);
});

Deno.test("removalOrder() takes secondaries first, each kind in its order", () => {
  const addresses = [
    own("10.0.0.1/24"),
    own("10.0.0.2/24", true),
    own("10.0.0.3/24", true),
    own("10.1.0.1/24"),
  ];
  assertEquals(text(removalOrder(addresses)), ["10.0.0.2", "10.0.0.3", "10.0.0.1", "10.1.0.1"]);
});

Deno.test("victims() are the secondaries of a removed address's subnet that are gone without having been meant", () => {
  const before = [
    own("10.0.0.1/24"),
    own("10.0.0.2/24", true),
    own("10.0.0.3/24", true),
    own("10.0.0.4/24", true),
    own("10.0.1.1/24"),
    own("10.0.1.2/24", true),
  ];
  const after = [own("10.0.0.4/24"), own("10.0.1.1/24")];
  // 10.0.1.2 is of another subnet: somebody else removed it.
  assertEquals(text(victims(before, after, [vip("10.0.0.1/24"), vip("10.0.0.2/24")])), ["10.0.0.3"]);
});

Deno.test("mayHaveSecondaries() is a matter of IPv4 subnets", () => {
  assertEquals(["10.0.0.1/24", "10.0.0.1/32", "fd77::1/64"].map((text) => mayHaveSecondaries(vip(text))), [
    true,
    false,
    false,
  ]);
});

Deno.test("vipSetting() apart from the interface that leads to the prefix it brings no route, but to its own link", () => {
  const setting = (text: string) =>
    vipSetting({ address: parseIp(text)!, prefix: 64 }, [], 3, true).noPrefixRoute;
  assertEquals([setting("fd77::1"), setting("fe80::1")], [true, false]);
});
