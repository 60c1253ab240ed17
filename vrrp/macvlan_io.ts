/**
 * Makes the interface with a virtual router's own MAC, finds it when it is there already, and takes it away again.
 *
 * The interface below it answers ARP for all addresses of the host unless it is told not to (arp_ignore), and would tell
 * clients its own MAC when it asks for theirs (arp_announce): both were seen to take the address away from the virtual
 * MAC. These two are put back by who set them.
 */
import { EPERM, errorName } from "../mod/base/libc_io.ts";
import {
  encodeCreateMacvlan,
  encodeDeleteLink,
  encodeRaiseMacvlan,
  macvlanName,
  virtualMac,
} from "./macvlan.ts";
import type { Link } from "./netlink.ts";
import type { NetlinkSocket } from "./netlink_io.ts";

export class Macvlan {
  readonly #socket: NetlinkSocket;
  readonly #setSysctl: (name: string, value: string) => string | null;
  readonly #vrid: number;

  /** Nothing is made before `raise`. */
  constructor(
    socket: NetlinkSocket,
    setSysctl: (name: string, value: string) => string | null,
    vrid: number,
  ) {
    this.#socket = socket;
    this.#setSysctl = setSysctl;
    this.#vrid = vrid;
  }

  /** The interface, made on `lower` if it is not there. Throws what the kernel refuses. */
  raise(lower: Link): Link {
    const found = this.#find();
    if (found?.up === true && isOurs(found, this.#vrid)) return found;
    if (found !== undefined && !isOurs(found, this.#vrid)) {
      throw new Error(`${found.name} is there already, with another MAC than ${this.#vrid} has`);
    }
    if (found === undefined) {
      this.#must("make", (sequence) => encodeCreateMacvlan(lower.index, this.#vrid, sequence));
    }
    const made = this.#find();
    if (made === undefined) throw new Error(`${macvlanName(this.#vrid)} is gone as soon as it was made`);
    this.#must("bring up", (sequence) => encodeRaiseMacvlan(made.index, sequence));
    const below = lower.name.replaceAll(".", "/");
    for (const [name, value] of [["arp_ignore", "1"], ["arp_announce", "2"]] as const) {
      const problem = this.#setSysctl(`net.ipv4.conf.${below}.${name}`, value);
      if (problem !== null) throw new Error(problem);
    }
    return this.#find() ?? made;
  }

  /** Takes it away, with all that is on it. */
  remove(): void {
    const found = this.#find();
    if (found !== undefined && isOurs(found, this.#vrid)) {
      this.#socket.change((sequence) => encodeDeleteLink(found.index, sequence));
    }
  }

  #find(): Link | undefined {
    const name = macvlanName(this.#vrid);
    return this.#socket.links().find((link) => link.name === name);
  }

  #must(verb: string, encode: (sequence: number) => Uint8Array<ArrayBuffer>): void {
    const code = this.#socket.change(encode);
    if (code === 0) return;
    const cure = code === EPERM ? " (needs CAP_NET_ADMIN)" : "";
    throw new Error(`Cannot ${verb} ${macvlanName(this.#vrid)}: ${errorName(code)}${cure}`);
  }
}

function isOurs({ mac }: Link, vrid: number): boolean {
  const wanted = virtualMac(vrid);
  return mac !== null && mac.every((byte, at) => byte === wanted[at]);
}
