import { parseIp } from "../../mod/base/address.ts";
import { announcements, gratuitousArp, neighborAdvertisement } from "../../vrrp/announce.ts";
import { assertEquals } from "../assert.ts";
import { fromHex, toHex } from "./hex.ts";

const MAC = fromHex("020000000a0b");
const V4 = parseIp("192.0.2.10")!;
const V6 = parseIp("2001:db8::10")!;

Deno.test("gratuitousArp() request: broadcast, sender and target are the address, target MAC unknown", () => {
  assertEquals(
    toHex(gratuitousArp("request", V4, MAC).bytes),
    "ffffffffffff" + "020000000a0b" + "0806" + // Ethernet
      "0001" + "0800" + "0604" + "0001" + // a request for IPv4 over Ethernet
      "020000000a0b" + "c000020a" + "000000000000" + "c000020a",
  );
});

Deno.test("gratuitousArp() reply: the target is its sender (RFC 5944 section 4.6)", () => {
  assertEquals(
    toHex(gratuitousArp("reply", V4, MAC).bytes).slice(28),
    "0001080006040002" + "020000000a0bc000020a" + "020000000a0bc000020a",
  );
});

Deno.test("neighborAdvertisement() RFC 9568 section 6.4.1: R and O set, S clear, to all nodes, hop limit 255", () => {
  assertEquals(
    toHex(neighborAdvertisement(V6, MAC).bytes),
    "333300000001" + "020000000a0b" + "86dd" +
      "6000000000203aff" + "20010db8000000000000000000000010" + "ff020000000000000000000000000001" +
      "8800" + checksumByHand() + "a0000000" + "20010db8000000000000000000000010" + "0201" + "020000000a0b",
  );
});

/** Pseudo-header (addresses, length 32, next header 58) and message, word by word. */
function checksumByHand(): string {
  const words = [0x2001, 0x0db8, 0x0010, 0xff02, 0x0001, 32, 58] // pseudo-header
    .concat([0x8800, 0xa000, 0x2001, 0x0db8, 0x0010, 0x0201, 0x0200, 0x0000, 0x0a0b]);
  let sum = words.reduce((total, word) => total + word, 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return (~sum & 0xffff).toString(16).padStart(4, "0");
}

Deno.test("announcements() are a request and a reply for IPv4, one advertisement for IPv6", () => {
  assertEquals(announcements(V4, MAC).map(({ etherType }) => etherType), [0x0806, 0x0806]);
  const [advertisement, ...none] = announcements(V6, MAC);
  assertEquals([advertisement?.etherType, none.length], [0x86dd, 0]);
  assertEquals(toHex(advertisement!.destination), "333300000001");
});
