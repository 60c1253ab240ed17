/**
 * Sends announcements through a packet socket. Without CAP_NET_RAW there is none: the election works, but clients go on
 * with what their neighbour tables say until they expire, so that is said plainly when the socket is opened.
 */
import { formatIp, type IpBytes } from "../mod/base/address.ts";
import { EPERM, errno, errorName, type Libc } from "../mod/base/libc_io.ts";
import { announcements, type Frame } from "./announce.ts";
import type { Link } from "./netlink.ts";

const AF_PACKET = 17;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
/** Protocol 0: the socket only sends, no frame is ever copied to it. */
const SEND_ONLY = 0;
const SOCKADDR_LL_BYTES = 20;

export class Announcer {
  readonly #libc: Libc;
  readonly #fd: number;

  /** Throws when the kernel refuses, with the missing capability by name. */
  constructor(libc: Libc) {
    this.#libc = libc;
    this.#fd = libc.socket(AF_PACKET, SOCK_RAW_CLOEXEC, SEND_ONLY);
    if (this.#fd >= 0) return;
    const code = errno(libc);
    const cure = code === EPERM ? ": it needs CAP_NET_RAW; until then clients find the new owner late" : "";
    throw new Error(`Cannot announce addresses (${errorName(code)})${cure}`);
  }

  /** Announces once that `link` has the addresses. What failed, in words. */
  announce(link: Link, addresses: readonly IpBytes[]): string[] {
    const { mac } = link;
    // Loopback and point-to-point links have no neighbours to tell.
    if (mac === null) return [];
    return addresses.flatMap((address) => {
      const failed = announcements(address, mac).map((frame) => this.#send(link, frame))
        .find((code) => code !== 0);
      if (failed === undefined) return [];
      return [`Cannot announce ${formatIp(address)} on ${link.name}: ${errorName(failed)}`];
    });
  }

  close(): void {
    this.#libc.close(this.#fd);
  }

  /** 0, or an error number. */
  #send(link: Link, frame: Frame): number {
    const address = new DataView(new ArrayBuffer(SOCKADDR_LL_BYTES));
    address.setUint16(0, AF_PACKET, true);
    address.setUint16(2, frame.etherType);
    address.setInt32(4, link.index, true);
    address.setUint8(11, frame.destination.length);
    const to = new Uint8Array(address.buffer);
    to.set(frame.destination, 12);
    const { bytes } = frame;
    const sent = this.#libc.sendto(this.#fd, bytes, BigInt(bytes.length), 0, to, SOCKADDR_LL_BYTES);
    return sent < 0 ? errno(this.#libc) : 0;
  }
}
