/**
 * Which virtual addresses were left behind by a keeper that is no more, told from those that a live one leases. Pure.
 *
 * A live keeper renews every quarter of its lease. What an address has left of its lease is therefore at least three
 * quarters of it, and so a little more than a third of that is long enough to see one renewal, whoever leases it.
 */
import type { InterfaceAddress } from "./netlink.ts";
import { sameAddress } from "./vip.ts";

/** A quarter of a lease is a third of three quarters of it: with a margin for timers that are late. */
const WATCH_SHARE = 0.4;
/** The kernel counts what is left in whole seconds, and a busy machine is late. */
const WATCH_MORE_MS = 500;

/** How long to watch these until a renewal would have been seen; 0: there is none to watch. */
export function watchMs(found: readonly InterfaceAddress[]): number {
  const leases = found.flatMap(({ leaseSeconds }) => leaseSeconds === null ? [] : [leaseSeconds]);
  return leases.length === 0 ? 0 : Math.max(...leases) * 1000 * WATCH_SHARE + WATCH_MORE_MS;
}

/**
 * What of `after` nobody has renewed since `before`. An address without a lease is not ours: somebody else has set it.
 */
export function abandoned(
  before: readonly InterfaceAddress[],
  after: readonly InterfaceAddress[],
): InterfaceAddress[] {
  return after.filter(({ address, leaseSeconds, renewedAtMs }) =>
    leaseSeconds !== null && renewedAtMs !== undefined &&
    before.some((own) => sameAddress(own.address, address) && own.renewedAtMs === renewedAtMs)
  );
}
