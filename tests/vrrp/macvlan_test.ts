/** Layouts of linux/if_link.h; the lab test shows that the kernel reads them so. */
import {
  encodeCreateMacvlan,
  encodeDeleteLink,
  encodeRaiseMacvlan,
  macvlanName,
  virtualMac,
} from "../../vrrp/macvlan.ts";
import { assertEquals } from "../assert.ts";
import { toHex } from "./hex.ts";

Deno.test("virtualMac() RFC 9568 section 7.3: 00-00-5E-00-01-{VRID}, and 02 for IPv6", () => {
  assertEquals([toHex(virtualMac(1, 4)), toHex(virtualMac(255, 6))], ["00005e000101", "00005e0002ff"]);
  assertEquals([macvlanName(255, 4), macvlanName(255, 6)], ["vrrp.255", "vrrp6.255"]);
});

Deno.test("encodeCreateMacvlan() name, the interface below, the MAC, and bridge mode", () => {
  assertEquals(
    toHex(encodeCreateMacvlan(2, 51, 4, 9)),
    "5c000000" + "1000" + "0506" + "09000000" + "00000000" + // 92 bytes, RTM_NEWLINK, REQUEST ACK CREATE EXCL
      "00".repeat(16) +
      "0c00" + "0300" + toHex(new TextEncoder().encode("vrrp.51")) + "00" + // IFLA_IFNAME
      "0800" + "0500" + "02000000" + // IFLA_LINK
      "0a00" + "0100" + "00005e000133" + "0000" + // IFLA_ADDRESS
      "1c00" + "1200" + "0b00" + "0100" + toHex(new TextEncoder().encode("macvlan")) + "00" + // IFLA_LINKINFO, kind
      "0c00" + "0200" + "0800" + "0100" + "04000000", // data, mode bridge
  );
});

Deno.test("encodeRaiseMacvlan() up, loose reverse path, ARP for its own only, no address from its MAC", () => {
  assertEquals(
    toHex(encodeRaiseMacvlan(7, 9)),
    "48000000" + "1000" + "0500" + "09000000" + "00000000" +
      "00000000" + "07000000" + "01000000" + "01000000" + // index, flags, change
      "2800" + "1a00" + // IFLA_AF_SPEC
      "1800" + "0200" + "1400" + "0100" + "0800" + "0800" + "02000000" + "0800" + "1300" + "01000000" + // AF_INET
      "0c00" + "0a00" + "0500" + "0800" + "01" + "000000", // AF_INET6
  );
});

Deno.test("encodeDeleteLink() by its index", () => {
  assertEquals(
    toHex(encodeDeleteLink(7, 9)),
    "20000000" + "1100" + "0500" + "09000000" + "00000000" + "00000000" + "07000000" + "00000000" +
      "00000000",
  );
});
