/** Which interface with a virtual MAC is used, made anew or refused; a real kernel makes them in the lab tests. */
import { virtualMac } from "../../vrrp/macvlan.ts";
import { Macvlan } from "../../vrrp/macvlan_io.ts";
import type { Link } from "../../vrrp/netlink.ts";
import { assertEquals, assertThrows } from "../assert.ts";

const [RTM_NEWLINK, RTM_DELLINK] = [16, 17];
const LOWER: Link = { index: 2, name: "eth0", up: true, running: true, mac: new Uint8Array(6) };
const OURS: Link = {
  index: 7,
  name: "vrrp.51",
  up: true,
  running: true,
  mac: virtualMac(51, 4),
  lowerIndex: 2,
};

/** A kernel that makes what it is asked for; what it was asked, by message type. */
function kernel(...links: Link[]) {
  const asked: number[] = [];
  const change = (encode: (sequence: number) => Uint8Array<ArrayBuffer>) => {
    const [type] = encode(1).subarray(4, 5) as unknown as [number];
    asked.push(type);
    const at = links.findIndex(({ name }) => name === OURS.name);
    if (type === RTM_DELLINK) links.splice(at, 1);
    else if (at < 0) links.push({ ...OURS, index: 8, up: false });
    else links[at] = { ...links[at]!, up: true };
    return 0;
  };
  const set: string[] = [];
  const macvlan = new Macvlan(
    { links: () => links, change },
    (name, value) => {
      set.push(`${name}=${value}`);
      return null;
    },
    51,
    4,
  );
  return { macvlan, asked, set, links };
}

Deno.test("raise() makes the interface and brings it up, and next time finds it", () => {
  const { macvlan, asked, set } = kernel(LOWER);
  assertEquals([macvlan.raise(LOWER).index, asked], [8, [RTM_NEWLINK, RTM_NEWLINK]]);
  assertEquals(set, [
    "net.ipv6.conf.vrrp/51.disable_ipv6=1",
    "net.ipv4.conf.eth0.arp_ignore=1",
    "net.ipv4.conf.eth0.arp_announce=2",
  ]);
  assertEquals([macvlan.raise(LOWER).index, asked.length], [8, 2]);
});

Deno.test("raise() takes what a killed keeper left, but not on another interface", () => {
  const same = kernel(LOWER, OURS);
  assertEquals([same.macvlan.raise(LOWER).index, same.asked], [7, []]);
  const other = kernel(LOWER, { ...OURS, lowerIndex: 3 });
  assertEquals([other.macvlan.raise(LOWER).index, other.asked], [8, [RTM_DELLINK, RTM_NEWLINK, RTM_NEWLINK]]);
});

Deno.test("raise() and remove() leave alone what has another MAC", () => {
  const { macvlan, asked } = kernel(LOWER, { ...OURS, mac: new Uint8Array(6) });
  assertThrows(() => macvlan.raise(LOWER), Error, "vrrp.51 is there already, with another MAC");
  macvlan.remove();
  assertEquals(asked, []);
});
