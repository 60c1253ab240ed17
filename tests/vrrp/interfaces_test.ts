import { formatCidr, formatIp, parseIp } from "../../mod/base/address.ts";
import { type InterfaceEntry, isNeighbour, localAddress } from "../../vrrp/interfaces.ts";
import { assertEquals } from "../assert.ts";

const ip = (text: string) => parseIp(text)!;
const v4 = (name: string, address: string, netmask: string): InterfaceEntry => ({
  name,
  family: "IPv4",
  address,
  netmask,
  scopeid: null,
});
const v6 = (name: string, address: string, scopeid: number): InterfaceEntry => ({
  name,
  family: "IPv6",
  address,
  netmask: "ffff:ffff:ffff:ffff::",
  scopeid,
});
const ENTRIES = [
  v4("lo", "127.0.0.1", "255.0.0.0"),
  v4("eth0", "10.0.0.50", "255.255.255.255"),
  v4("eth0", "10.0.0.1", "255.255.254.0"),
  v4("eth1", "192.0.2.1", "255.255.255.0"),
  v6("eth0", "fd77::1", 0),
  v6("eth0", "fe80::1", 2),
];

function found(device: string, family: 4 | 6, vips: string[] = []) {
  const local = localAddress(ENTRIES, device, family, vips.map(ip));
  return local === null ? null : [formatIp(local.address), formatCidr(local.subnet), local.scope];
}

Deno.test("localAddress() is the interface's first address that is not a virtual one", () => {
  assertEquals(found("eth0", 4, ["10.0.0.50"]), ["10.0.0.1", "10.0.0.0/23", null]);
  assertEquals(found("eth1", 4), ["192.0.2.1", "192.0.2.0/24", null]);
  assertEquals(found("eth1", 4, ["192.0.2.1"]), null);
  assertEquals(found("eth2", 4), null);
});

Deno.test("localAddress() RFC 9568 section 5.1.2.1: on IPv6 it is the link-local one", () => {
  assertEquals(found("eth0", 6), ["fe80::1", "fe80::/64", 2]);
  assertEquals(found("eth1", 6), null);
});

Deno.test("localAddress() is one of the subnet of a peer, if there is one, and on IPv6 of the kind of the peers'", () => {
  const towards = (device: string, family: 4 | 6, peers: string[], vips: string[] = []) => {
    const entries = [...ENTRIES, v4("eth1", "203.0.113.1", "255.255.255.0")];
    const local = localAddress(entries, device, family, vips.map(ip), peers.map(ip));
    return local === null ? null : [formatIp(local.address), local.scope];
  };
  assertEquals(towards("eth1", 4, ["198.51.100.9", "203.0.113.9"]), ["203.0.113.1", null]);
  assertEquals(towards("eth1", 4, ["198.51.100.9"]), ["192.0.2.1", null], "none: the first");
  assertEquals(towards("eth0", 6, ["fd77::9"]), ["fd77::1", 0]);
  assertEquals(towards("eth0", 6, ["fe80::9"]), ["fe80::1", 2]);
  assertEquals(towards("eth0", 6, ["fd77::9"], ["fd77::1"]), null);
});

Deno.test("isNeighbour() is of the subnet, or a named peer when there are any", () => {
  const local = localAddress(ENTRIES, "eth0", 4, [ip("10.0.0.50")])!;
  const neighbour = (sender: string, peers: string[] = []) => isNeighbour(local, peers.map(ip), ip(sender));
  assertEquals(["10.0.1.255", "10.0.2.0", "fe80::1"].map((sender) => neighbour(sender)), [
    true,
    false,
    false,
  ]);
  assertEquals(["10.0.0.2", "192.0.2.9"].map((sender) => neighbour(sender, ["192.0.2.9"])), [false, true]);
});
