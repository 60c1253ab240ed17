/**
 * The real VRRP's sockets: IP protocol 112 on one interface, by multicast or to named peers. It knows no packets of
 * VRRP, only their IP headers.
 *
 * Two faces of one interface, as the families differ in what a raw socket gives: raw4_io.ts reads and writes the IPv4
 * header itself, raw6_io.ts has the kernel tell hop limit and destination. Reading waits in the process's one poller.
 */
import { formatIp, type IpBytes } from "../mod/base/address.ts";
import { EAGAIN, EINTR, EPERM, errorName, type Libc } from "../mod/base/libc_io.ts";
import type { DropReason } from "./drops.ts";
import type { LocalAddress } from "./interfaces.ts";
import type { RawPacket, ReadPacket } from "./ip_header.ts";
import { GROUPS } from "./judge.ts";
import type { Link } from "./netlink.ts";
import type { Poller } from "./poll_io.ts";
import { openRaw4 } from "./raw4_io.ts";
import { openRaw6 } from "./raw6_io.ts";

/** What the poller must not be kept from by a flood of one socket. */
const MOST_AT_ONCE = 64;

export interface RawOptions {
  /** What is sent leaves here, with this interface's MAC. */
  readonly link: Link;
  /** What is heard arrives here: the same, or the one below the interface with the virtual MAC. */
  readonly lower: Link;
  readonly local: LocalAddress;
  /** Empty: multicast. */
  readonly peers: readonly IpBytes[];
  readonly onPacket: (packet: RawPacket) => void;
  readonly onDropped: (reason: DropReason, source: string) => void;
  /** Reading failed, in words; it goes on. */
  readonly onProblem: (problem: string) => void;
}

/** The sockets of one family. */
export interface RawFace {
  /** To be read when `poll` says so. */
  readonly fd: number;
  /** The next packet, or an error number of Linux. */
  receive(): ReadPacket | number;
  /** 0, or an error number of Linux. */
  send(bytes: Uint8Array, destination: IpBytes): number;
  close(): void;
}

export class RawTransport {
  /** Where an advert has to go. */
  readonly destinations: readonly IpBytes[];
  readonly #options: RawOptions;
  readonly #poller: Poller;
  readonly #face: RawFace;
  #closed = false;

  /** Throws what the kernel refuses, with the missing capability by name. */
  constructor(libc: Libc, poller: Poller, options: RawOptions) {
    const { local, peers } = options;
    const family = local.address.length === 4 ? 4 : 6;
    this.destinations = peers.length > 0 ? peers : [GROUPS[family]];
    this.#options = options;
    this.#poller = poller;
    this.#face = family === 4 ? openRaw4(libc, options) : openRaw6(libc, options);
    poller.add(this.#face.fd, () => this.#read());
  }

  /** Sends at once. What failed, in words, or null. */
  send(bytes: Uint8Array, destination: IpBytes): string | null {
    const code = this.#face.send(bytes, destination);
    return code === 0 ? null : `Cannot send to ${formatIp(destination)}: ${rawProblem(code)}`;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#poller.remove(this.#face.fd);
    this.#face.close();
  }

  #read(): void {
    const { onPacket, onDropped, onProblem } = this.#options;
    for (let left = MOST_AT_ONCE; left > 0 && !this.#closed; left--) {
      const read = this.#face.receive();
      if (typeof read === "number") {
        if (read === EINTR) continue;
        if (read !== EAGAIN) onProblem(`Cannot receive: ${errorName(read)}`);
        return;
      }
      if (read.ok) onPacket(read.packet);
      else onDropped(read.reason, "unknown");
    }
  }
}

/** What an error number means, with the cure where there is one. */
export function rawProblem(code: number): string {
  return code === EPERM
    ? `${errorName(code)}: VRRP itself (IP protocol 112) needs CAP_NET_RAW`
    : errorName(code);
}
