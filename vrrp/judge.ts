/**
 * Which packets of VRRP itself are good ones: the rules for receiving (RFC 9568 section 7.1 with errata 8298 to 8300, RFC
 * 3768 section 7.1). Pure: a packet with its IP header's facts in, an advert or a reason out.
 *
 * The order is the transport's: who sent it and how it came, then the packet itself, by the settings of its virtual
 * router.
 */
import { type IpBytes, parseIp } from "../mod/base/address.ts";
import { type Dropped, dropped } from "./drops.ts";
import { isLinkLocal } from "./link_local.ts";
import type { RawPacket } from "./ip_header.ts";
import { type Advert, type ChecksumKind, decodeAdvert, passwordBytes } from "./packet.ts";
import type { SegmentSettings } from "./settings.ts";
import type { Version } from "./timing.ts";
import { sameAddress } from "./vip.ts";

/** RFC 9568 sections 5.1.1.2 and 5.1.2.2. */
export const GROUPS = { 4: parseIp("224.0.0.18")!, 6: parseIp("ff02::12")! } as const;

/** What the wire has to know of a virtual router to judge its packets. */
export interface WireRouter {
  readonly version: Version;
  readonly password: string | null;
  readonly intervalMs: number;
  readonly addresses: readonly IpBytes[];
}

export type Verdict =
  | { readonly ok: true; readonly advert: Advert; readonly checksum: ChecksumKind }
  | Dropped;

export function judgePacket(
  packet: RawPacket,
  local: IpBytes,
  { family, peers }: Pick<SegmentSettings, "family" | "peers">,
  router: (vrid: number) => WireRouter | null,
): Verdict {
  const { bytes, source, destination, ttl } = packet;
  if (sameAddress(source, local)) return dropped("own");
  // First: a virtual router with other peers has a socket of its own on the same interface, and is judged there.
  const wanted = bytes.length < 2 ? null : router(bytes[1]!);
  if (wanted === null) return dropped(bytes.length < 2 ? "length" : "vrid");
  if (peers.length > 0 && !peers.some((peer) => sameAddress(peer, source))) return dropped("foreign");
  if (sameAddress(destination, GROUPS[family]) !== (peers.length === 0)) return dropped("destination");
  const { version, password } = wanted;
  const decoded = decodeAdvert(bytes, {
    version,
    family,
    ends: { source, destination },
    ttl,
    password: password === null ? null : passwordBytes(password),
  });
  if (!decoded.ok) return decoded;
  const { advert, checksum } = decoded;
  // RFC 3768 section 7.1: version 2 wants the same interval of all.
  if (version === 2 && advert.intervalMs !== wanted.intervalMs) return dropped("interval");
  // Erratum 8300; where our own list does not begin so, neither does that of the others.
  if (family === 6 && isLinkLocal(wanted.addresses[0]!) && !isLinkLocal(advert.addresses[0]!)) {
    return dropped("linkLocal");
  }
  return { ok: true, advert, checksum };
}
