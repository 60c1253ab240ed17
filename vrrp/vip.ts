/**
 * Decides how virtual addresses are put on an interface and taken off without harm to their neighbours. Pure.
 *
 * A virtual address is leased: the kernel removes it when the keeper stops renewing it, however it died. Two traps are
 * settled here. IPv4: the first address of a subnet is primary, and removing it removes all others of the subnet unless
 * `promote_secondaries` is set; so whoever is at risk is found before, and put back after. IPv6: the route to a prefix
 * goes with the address that brought it, so a virtual address brings none where another address has one already.
 */
import type { IpBytes } from "../mod/base/address.ts";
import { isLinkLocal } from "./link_local.ts";
import type { AddressSetting, InterfaceAddress } from "./netlink.ts";

/** A virtual address as configured: `/32` or `/128`, or the prefix given. */
export interface Vip {
  readonly address: IpBytes;
  readonly prefix: number;
}

/** The kernel counts leases in seconds. */
const MIN_LEASE_SECONDS = 1;
const INTERVALS_PER_LEASE = 3;
/** So that three renewals fall strictly within a lease. */
const RENEWALS_PER_LEASE = 4;

/** About three advert intervals, for that is when a peer takes over; at least 1 s. */
export function leaseSecondsFor(advertIntervalMs: number): number {
  return Math.max(MIN_LEASE_SECONDS, Math.ceil(INTERVALS_PER_LEASE * advertIntervalMs / 1000));
}

export function renewIntervalMs(leaseSeconds: number): number {
  return leaseSeconds * 1000 / RENEWALS_PER_LEASE;
}

/**
 * How `vip` is to be set on an interface that has the addresses `present`. `apart`: the interface is not the one that
 * leads to the prefix; link-local prefixes are led to by every interface.
 */
export function vipSetting(
  vip: Vip,
  present: readonly InterfaceAddress[],
  leaseSeconds: number,
  apart = false,
): AddressSetting {
  const routed =
    present.some((other) => !sameAddress(other.address, vip.address) && sameSubnet(other, vip)) ||
    (apart && !isLinkLocal(vip.address));
  return { ...vip, leaseSeconds, noPrefixRoute: vip.address.length === 16 && routed };
}

/** True when removing the address, or its lease's end, could take others of its subnet with it. */
export function mayHaveSecondaries(vip: Vip): boolean {
  return vip.address.length === 4 && vip.prefix < 32;
}

/** What of `vips` is on the interface, with the prefix it really has there. */
export function presentVips(present: readonly InterfaceAddress[], vips: readonly Vip[]): InterfaceAddress[] {
  return present.filter((own) => vips.some((vip) => sameAddress(own.address, vip.address)));
}

export function absentVips(present: readonly InterfaceAddress[], vips: readonly Vip[]): Vip[] {
  return vips.filter((vip) => !present.some((own) => sameAddress(own.address, vip.address)));
}

/** The order in which to remove addresses: secondaries first, so that no primary takes one along. */
export function removalOrder<T extends { readonly secondary: boolean }>(addresses: readonly T[]): T[] {
  return [
    ...addresses.filter(({ secondary }) => secondary),
    ...addresses.filter(({ secondary }) => !secondary),
  ];
}

/** What went with the removed addresses although it was not to be removed. */
export function victims(
  before: readonly InterfaceAddress[],
  after: readonly InterfaceAddress[],
  removed: readonly Vip[],
): InterfaceAddress[] {
  const atRisk = before.filter((own) => own.secondary && removed.some((vip) => sameSubnet(own, vip)));
  return atRisk.filter((own) =>
    !removed.some((vip) => sameAddress(vip.address, own.address)) &&
    !after.some((left) => sameAddress(left.address, own.address))
  );
}

export function sameAddress(one: IpBytes, other: IpBytes): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** True when both have the same prefix: length and bits. */
function sameSubnet(one: Vip, other: Vip): boolean {
  if (one.prefix !== other.prefix || one.address.length !== other.address.length) return false;
  const whole = one.prefix >> 3;
  for (let at = 0; at < whole; at++) if (one.address[at] !== other.address[at]) return false;
  const rest = one.prefix & 7;
  return rest === 0 || ((one.address[whole]! ^ other.address[whole]!) & (0xff << (8 - rest)) & 0xff) === 0;
}
