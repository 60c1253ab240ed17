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

type Socket = Pick<NetlinkSocket, "links" | "change">;

export class Macvlan {
  readonly #socket: Socket;
  readonly #setSysctl: (name: string, value: string) => string | null;
  readonly #vrid: number;
  readonly #family: 4 | 6;

  /** Nothing is made before `raise`. */
  constructor(
    socket: Socket,
    setSysctl: (name: string, value: string) => string | null,
    vrid: number,
    family: 4 | 6,
  ) {
    this.#socket = socket;
    this.#setSysctl = setSysctl;
    this.#vrid = vrid;
    this.#family = family;
  }

  get #name(): string {
    return macvlanName(this.#vrid, this.#family);
  }

  /** The interface, made on `lower` if it is not there. Throws what the kernel refuses. */
  raise(lower: Link): Link {
    let found = this.#find();
    if (found !== undefined && !this.#isOurs(found)) {
      throw new Error(`${found.name} is there already, with another MAC than ${this.#vrid} has`);
    }
    if (found !== undefined && found.lowerIndex !== lower.index) {
      // Left behind by a keeper that was killed, before the instance moved to another interface.
      this.remove();
      found = undefined;
    }
    if (found?.up === true) return found;
    if (found === undefined) {
      this.#must("make", (sequence) => encodeCreateMacvlan(lower.index, this.#vrid, this.#family, sequence));
    }
    const made = this.#find();
    if (made === undefined) throw new Error(`${this.#name} is gone as soon as it was made`);
    this.#keepQuiet();
    this.#must("bring up", (sequence) => encodeRaiseMacvlan(made.index, sequence));
    if (this.#family === 4) this.#keepOut(lower);
    return this.#find() ?? made;
  }

  /** Routers' advertisements would give it addresses made from its MAC, the same on every node. */
  #keepQuiet(): void {
    const own = `net.ipv6.conf.${this.#name.replaceAll(".", "/")}`;
    if (this.#family === 6) return this.#mustSet(`${own}.accept_ra`, "0");
    // Where there is no IPv6 at all it cannot be set, and need not be.
    this.#setSysctl(`${own}.disable_ipv6`, "1");
  }

  /** Neighbours of IPv6 are answered by whoever has the address; those of IPv4 by every interface, if it may. */
  #keepOut(lower: Link): void {
    const below = `net.ipv4.conf.${lower.name.replaceAll(".", "/")}`;
    this.#mustSet(`${below}.arp_ignore`, "1");
    this.#mustSet(`${below}.arp_announce`, "2");
  }

  #mustSet(name: string, value: string): void {
    const problem = this.#setSysctl(name, value);
    if (problem !== null) throw new Error(problem);
  }

  /** Takes it away, with all that is on it. */
  remove(): void {
    const found = this.#find();
    if (found !== undefined && this.#isOurs(found)) {
      this.#socket.change((sequence) => encodeDeleteLink(found.index, sequence));
    }
  }

  #find(): Link | undefined {
    const name = this.#name;
    return this.#socket.links().find((link) => link.name === name);
  }

  #must(verb: string, encode: (sequence: number) => Uint8Array<ArrayBuffer>): void {
    const code = this.#socket.change(encode);
    if (code === 0) return;
    const cure = code === EPERM ? " (needs CAP_NET_ADMIN)" : "";
    throw new Error(`Cannot ${verb} ${this.#name}: ${errorName(code)}${cure}`);
  }

  #isOurs({ mac }: Link): boolean {
    const wanted = virtualMac(this.#vrid, this.#family);
    return mac !== null && mac.every((byte, at) => byte === wanted[at]);
  }
}
