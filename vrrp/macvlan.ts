/**
 * The interface that has a virtual router's own MAC (RFC 9568 section 7.3), as messages of netlink: a macvlan on the
 * instance's interface. Pure bytes; layouts of linux/if_link.h.
 *
 * Bridge mode: what another node sends with the same MAC reaches the interface below, where adverts are heard; in
 * private mode it would not. It answers ARP only for what is on it, takes packets whose sender would be answered through
 * another interface (loose reverse path), and makes no IPv6 address of its own, which would be the same on every node.
 */
import {
  attribute,
  IFF_UP,
  IFINFOMSG_BYTES,
  IFLA_ADDRESS,
  IFLA_IFNAME,
  IFLA_LINK,
  message,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REQUEST,
  RTM_DELLINK,
  RTM_NEWLINK,
  u32,
} from "./netlink.ts";

const IFLA_LINKINFO = 18;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_MACVLAN_MODE = 1;
const MACVLAN_MODE_BRIDGE = 4;
const IFLA_AF_SPEC = 26;
const AF_INET = 2;
const AF_INET6 = 10;
const IFLA_INET_CONF = 1;
const IPV4_DEVCONF_RP_FILTER = 8;
const IPV4_DEVCONF_ARP_IGNORE = 19;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const LOOSE = 2;
const ONLY_OWN = 1;
const NONE = 1;

/** The name keepalived gives it, too: one virtual router of a family has one. */
export function macvlanName(vrid: number, family: 4 | 6): string {
  return `${family === 4 ? "vrrp" : "vrrp6"}.${vrid}`;
}

/** 00-00-5E-00-01-{VRID} for IPv4, 00-00-5E-00-02-{VRID} for IPv6. */
export function virtualMac(vrid: number, family: 4 | 6): Uint8Array {
  return new Uint8Array([0, 0, 0x5e, 0, family === 4 ? 1 : 2, vrid]);
}

/** Makes the interface of a virtual router on the one with this index; it is still down. */
export function encodeCreateMacvlan(lowerIndex: number, vrid: number, family: 4 | 6, sequence: number) {
  const kind = attribute(IFLA_INFO_KIND, new TextEncoder().encode("macvlan"));
  const mode = attribute(IFLA_INFO_DATA, attribute(IFLA_MACVLAN_MODE, u32(MACVLAN_MODE_BRIDGE)));
  return message(
    RTM_NEWLINK,
    NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
    sequence,
    new Uint8Array(IFINFOMSG_BYTES),
    attribute(IFLA_IFNAME, new TextEncoder().encode(macvlanName(vrid, family) + "\0")),
    attribute(IFLA_LINK, u32(lowerIndex)),
    attribute(IFLA_ADDRESS, virtualMac(vrid, family)),
    attribute(IFLA_LINKINFO, joined(kind, mode)),
  );
}

/** Sets it up and brings it up. */
export function encodeRaiseMacvlan(index: number, sequence: number) {
  const four = joined(
    attribute(IPV4_DEVCONF_RP_FILTER, u32(LOOSE)),
    attribute(IPV4_DEVCONF_ARP_IGNORE, u32(ONLY_OWN)),
  );
  const six = attribute(IFLA_INET6_ADDR_GEN_MODE, new Uint8Array([NONE]));
  return message(
    RTM_NEWLINK,
    NLM_F_REQUEST | NLM_F_ACK,
    sequence,
    header(index, IFF_UP),
    attribute(
      IFLA_AF_SPEC,
      joined(attribute(AF_INET, attribute(IFLA_INET_CONF, four)), attribute(AF_INET6, six)),
    ),
  );
}

export function encodeDeleteLink(index: number, sequence: number) {
  return message(RTM_DELLINK, NLM_F_REQUEST | NLM_F_ACK, sequence, header(index, 0));
}

/** `ifinfomsg`: the flags that are to be set, and that they are to be changed. */
function header(index: number, flags: number): Uint8Array {
  const bytes = new Uint8Array(IFINFOMSG_BYTES);
  bytes.set(u32(index, flags, flags), 4);
  return bytes;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}
