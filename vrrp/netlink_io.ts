/**
 * A netlink socket through libc: requests that the kernel answers before `sendto` returns, and events.
 *
 * Nothing here waits: what is asked is answered at once, events are read when `poll` said that there are some
 * (`poll_io.ts`). Errors of requests come in-band. It knows no meaning of addresses and links.
 */
import type { IpBytes } from "../mod/base/address.ts";
import {
  EAGAIN,
  EINTR,
  ENOBUFS,
  EPERM,
  errno,
  errorName,
  lastError,
  type Libc,
} from "../mod/base/libc_io.ts";
import {
  type AddressSetting,
  decodeNetlink,
  encodeDeleteAddress,
  encodeGetNeighbour,
  encodeListAddresses,
  encodeListLinks,
  encodeResolveNeighbour,
  encodeSetAddress,
  type InterfaceAddress,
  isInterrupted,
  type Link,
  type NetlinkMessage,
} from "./netlink.ts";
import type { Vip } from "./vip.ts";

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_ROUTE = 0;
const MSG_DONTWAIT = 0x40;
const SOCKADDR_NL_BYTES = 12;
/** The kernel's own upper bound for one part of a dump (NLMSG_GOODSIZE is at most 8 KiB, dumps use up to 32). */
const RECEIVE_BYTES = 32 * 1024;

/** A list that changes all the time is taken as it is then. */
const LIST_TIMES = 4;

export class NetlinkSocket {
  readonly fd: number;
  readonly #libc: Libc;
  readonly #buffer = new Uint8Array(RECEIVE_BYTES);
  #sequence = 0;
  #interrupted = false;

  /** Opens a socket; `groups` are the events it hears (RTMGRP_*). Throws when the kernel refuses. */
  constructor(libc: Libc, groups = 0) {
    this.#libc = libc;
    this.fd = libc.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE);
    if (this.fd < 0) throw new Error(`Cannot open a netlink socket: ${lastError(libc)}`);
    const address = new DataView(new ArrayBuffer(SOCKADDR_NL_BYTES));
    address.setUint16(0, AF_NETLINK, true);
    address.setUint32(8, groups, true);
    if (libc.bind(this.fd, new Uint8Array(address.buffer), SOCKADDR_NL_BYTES) !== 0) {
      const reason = lastError(libc);
      libc.close(this.fd);
      throw new Error(`Cannot bind a netlink socket: ${reason}`);
    }
  }

  /** Adds an address or renews its lease. 0, or an error number of Linux. */
  setAddress(index: number, setting: AddressSetting): number {
    return this.#ask(encodeSetAddress(index, setting, ++this.#sequence)).errno;
  }

  /** 0, or an error number of Linux. */
  deleteAddress(index: number, address: Vip): number {
    return this.#ask(encodeDeleteAddress(index, address, ++this.#sequence)).errno;
  }

  /** Asks for any other change. 0, or an error number of Linux. */
  change(encode: (sequence: number) => Uint8Array<ArrayBuffer>): number {
    return this.#ask(encode(++this.#sequence)).errno;
  }

  /** The addresses of one interface. */
  addresses(index: number): InterfaceAddress[] {
    return this.#list(encodeListAddresses)
      .flatMap((message) => message.kind === "address" ? [message.address] : [])
      .filter((address) => address.index === index);
  }

  links(): Link[] {
    return this.#list(encodeListLinks)
      .flatMap((message) => message.kind === "link" ? [message.link] : []);
  }

  /** The MAC of a neighbour. Null: not known now; the kernel is asked to find it, and may know it a moment later. */
  neighbour(index: number, address: IpBytes): Uint8Array | null {
    for (const message of this.#ask(encodeGetNeighbour(index, address, ++this.#sequence)).messages) {
      if (message.kind === "neighbour" && message.mac !== null) return message.mac;
    }
    this.#ask(encodeResolveNeighbour(index, address, ++this.#sequence));
    return null;
  }

  /** The events that wait; null: some were lost, for they came faster than they were read. */
  receive(): NetlinkMessage[] | null {
    const messages: NetlinkMessage[] = [];
    for (;;) {
      const length = this.#libc.recv(this.fd, this.#buffer, BigInt(RECEIVE_BYTES), MSG_DONTWAIT);
      if (length >= 0) {
        const bytes = this.#buffer.subarray(0, length);
        this.#interrupted ||= isInterrupted(bytes);
        messages.push(...decodeNetlink(bytes));
        continue;
      }
      const code = errno(this.#libc);
      if (code === EINTR) continue;
      if (code === EAGAIN) return messages;
      if (code === ENOBUFS) return null;
      throw new Error(`Cannot read from a netlink socket: ${errorName(code)}`);
    }
  }

  close(): void {
    this.#libc.close(this.fd);
  }

  /** Asks for a list, again when it changed while it was read: an interface that it lacks would seem to be gone. */
  #list(encode: (sequence: number) => Uint8Array<ArrayBuffer>): NetlinkMessage[] {
    for (let left = LIST_TIMES;; left--) {
      this.#interrupted = false;
      const { messages } = this.#ask(encode(++this.#sequence));
      if (!this.#interrupted || left === 1) return messages;
    }
  }

  /** Sends a request and reads until its end. Only for sockets that hear no events. */
  #ask(request: Uint8Array<ArrayBuffer>): { errno: number; messages: NetlinkMessage[] } {
    const sent = this.#libc.sendto(this.fd, request, BigInt(request.length), 0, new Uint8Array(0), 0);
    if (sent !== request.length) return { errno: errno(this.#libc), messages: [] };
    const messages: NetlinkMessage[] = [];
    for (;;) {
      const part = this.receive();
      if (part === null || part.length === 0) {
        throw new Error("Cannot understand the kernel's answer on a netlink socket: it has no end");
      }
      messages.push(...part);
      const end = part.find((message) => message.kind === "done" && message.sequence === this.#sequence);
      if (end?.kind === "done") return { errno: end.errno, messages };
    }
  }
}

/** What an error number of a request means, with the cure where there is one. */
export function netlinkProblem(code: number): string {
  return code === EPERM ? `${errorName(code)} (needs CAP_NET_ADMIN)` : errorName(code);
}
