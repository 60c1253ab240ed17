import { parseIp } from "../../mod/base/address.ts";
import { abandoned, watchMs } from "../../vrrp/leftovers.ts";
import type { InterfaceAddress } from "../../vrrp/netlink.ts";
import { leaseSecondsFor, renewIntervalMs } from "../../vrrp/vip.ts";
import { assert, assertEquals } from "../assert.ts";

function own(text: string, leaseSeconds: number | null, renewedAtMs?: number): InterfaceAddress {
  return {
    index: 2,
    address: parseIp(text)!,
    prefix: 24,
    leaseSeconds,
    noPrefixRoute: false,
    secondary: false,
    ...(renewedAtMs === undefined ? {} : { renewedAtMs }),
  };
}

Deno.test("watchMs() is longer than a live keeper's renewals are apart, at every interval and moment", () => {
  for (const intervalMs of [10, 100, 333, 1000, 1500, 10_000, 40_000]) {
    const lease = leaseSecondsFor(intervalMs);
    // Just before the renewal the least is left of the lease, and the kernel rounds down.
    const left = Math.floor(lease - renewIntervalMs(lease) / 1000);
    const watched = watchMs([own("10.0.0.1", left)]);
    assert(watched >= renewIntervalMs(lease) + 200, `${intervalMs}: ${watched} < ${renewIntervalMs(lease)}`);
    assert(watched < lease * 1000, `${intervalMs}: as long as the lease itself`);
  }
});

Deno.test("watchMs() does not wait for what has no lease, or is not there", () => {
  assertEquals(watchMs([]), 0);
  assertEquals(watchMs([own("10.0.0.1", null)]), 0);
});

Deno.test("abandoned() is what was not renewed meanwhile, and never what has no lease", () => {
  const before = [own("10.0.0.1", 3, 10), own("10.0.0.2", 3, 10), own("10.0.0.3", null, 10)];
  const after = [own("10.0.0.1", 2, 10), own("10.0.0.2", 3, 760), own("10.0.0.3", null, 10)];
  assertEquals(abandoned(before, after), [after[0]!]);
});

Deno.test("abandoned() is nothing that came meanwhile, or whose renewals are not told", () => {
  assertEquals(abandoned([], [own("10.0.0.1", 3, 10)]), []);
  assertEquals(abandoned([own("10.0.0.1", 3)], [own("10.0.0.1", 3)]), []);
});
