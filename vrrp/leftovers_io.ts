/**
 * Takes off an interface what a dead keeper left there, before the lease would: it looks, waits until a live keeper
 * would have renewed, looks again, and removes what stood still. It knows no keeper and no configuration.
 */
import type { AddressWriter } from "./address_writer_io.ts";
import { abandoned, watchMs } from "./leftovers.ts";
import type { InterfaceAddress } from "./netlink.ts";
import { presentVips, sameAddress, type Vip } from "./vip.ts";
import { VipHolder } from "./vip_io.ts";

export interface Cleaned {
  readonly removed: readonly InterfaceAddress[];
  /** Leased by a live keeper, or without a lease and so not of a keeper at all. */
  readonly left: readonly InterfaceAddress[];
  readonly problems: readonly string[];
}

/** `wait` resolves after milliseconds. Rejects when there is no such interface. */
export async function removeAbandoned(
  device: string,
  vips: readonly Vip[],
  writer: AddressWriter,
  wait: (ms: number) => Promise<void>,
): Promise<Cleaned> {
  const before = presentVips(await writer.list(device), vips);
  const ms = watchMs(before);
  if (ms > 0) await wait(ms);
  const after = presentVips(await writer.list(device), vips);
  const removed = abandoned(before, after);
  const left = after.filter(({ address }) => !removed.some((gone) => sameAddress(gone.address, address)));
  if (removed.length === 0) return { removed, left, problems: [] };
  // Nothing is held here, so neither the lease nor the clock is used.
  const holder = new VipHolder({ device, vips: removed, leaseSeconds: 1, writer, now: () => 0 });
  const { problems } = await holder.removeLeftovers();
  return { removed, left, problems };
}
