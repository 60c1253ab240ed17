/**
 * VRRP over IPv6: one raw socket hears, another is handed packets with their IP header before them, on two interfaces
 * where there is a virtual MAC. The header of what is heard never reaches a program, so the kernel is asked to tell hop
 * limit and destination beside each packet, which takes `recvmsg`.
 */
import type { IpBytes } from "../mod/base/address.ts";
import { errno, type Libc } from "../mod/base/libc_io.ts";
import { readControl } from "./control.ts";
import { dropped } from "./drops.ts";
import { writeIpv6 } from "./ip_header.ts";
import { GROUPS } from "./judge.ts";
import { VRRP_PROTOCOL } from "./packet.ts";
import type { RawFace, RawOptions } from "./raw_io.ts";
import { int32, MSG_DONTWAIT, openRawSocket, type Option } from "./socket_io.ts";

const AF_INET6 = 10;
/** Only sends, and is given whole packets. */
const IPPROTO_RAW = 255;
const IPPROTO_IPV6 = 41;
const IPV6_MULTICAST_IF = 17;
const IPV6_MULTICAST_LOOP = 19;
const IPV6_JOIN_GROUP = 20;
const IPV6_MULTICAST_ALL = 29;
const IPV6_RECVPKTINFO = 49;
const IPV6_RECVHOPLIMIT = 51;
const SOCKADDR_IN6_BYTES = 28;
/** 255 addresses and something that follows them. */
const RECEIVE_BYTES = 8192;
const CONTROL_BYTES = 256;
/** Set in the header's flags when a packet had more bytes than the buffer. */
const MSG_TRUNC = 0x20;

export function openRaw6(libc: Libc, { link, lower, local, peers }: RawOptions): RawFace {
  const group = new Uint8Array([...GROUPS[6], ...int32(lower.index)]);
  const joined: Option[] = peers.length > 0 ? [] : [[IPPROTO_IPV6, IPV6_JOIN_GROUP, group]];
  const fd = openRawSocket(libc, AF_INET6, VRRP_PROTOCOL, lower.name, [
    [IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0],
    [IPPROTO_IPV6, IPV6_RECVPKTINFO, 1],
    [IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1],
    ...joined,
  ]);
  let speaker: number;
  try {
    speaker = openRawSocket(libc, AF_INET6, IPPROTO_RAW, link.name, [
      [IPPROTO_IPV6, IPV6_MULTICAST_IF, link.index],
      [IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0],
    ]);
  } catch (error) {
    libc.close(fd);
    throw error;
  }
  const message = new Message();
  return {
    fd,
    receive() {
      const length = libc.recvmsg(fd, message.fresh(), MSG_DONTWAIT);
      if (length < 0) return errno(libc);
      const { hopLimit, destination } = readControl(message.control);
      // Both were asked for, so that their absence is no less wrong than a bad value.
      if (hopLimit === null || destination === null) return dropped("header");
      if (message.cut) return dropped("oversize");
      const packet = { bytes: message.bytes(length), source: message.source, destination, ttl: hopLimit };
      return { ok: true, packet };
    },
    send(bytes: Uint8Array, destination: IpBytes) {
      const packet = writeIpv6(local.address, destination, bytes);
      const to = socketAddress(destination, link.index);
      const sent = libc.sendto(speaker, packet, BigInt(packet.length), MSG_DONTWAIT, to, SOCKADDR_IN6_BYTES);
      return sent < 0 ? errno(libc) : 0;
    },
    close() {
      libc.close(fd);
      libc.close(speaker);
    },
  };
}

/** A `msghdr` and all that it points to. The buffers live as long as it does, so that the kernel may write to them. */
class Message {
  // Over an ArrayBuffer: what is in one does not move.
  readonly #name = new Uint8Array(new ArrayBuffer(SOCKADDR_IN6_BYTES));
  readonly #buffer = new Uint8Array(new ArrayBuffer(RECEIVE_BYTES));
  readonly #control = new Uint8Array(new ArrayBuffer(CONTROL_BYTES));
  readonly #vector = new DataView(new ArrayBuffer(16));
  readonly #header = new DataView(new ArrayBuffer(56));

  constructor() {
    this.#vector.setBigUint64(0, pointer(this.#buffer), true);
    this.#vector.setBigUint64(8, BigInt(RECEIVE_BYTES), true);
    this.#header.setBigUint64(0, pointer(this.#name), true);
    this.#header.setBigUint64(16, pointer(new Uint8Array(this.#vector.buffer)), true);
    this.#header.setBigUint64(24, 1n, true);
    this.#header.setBigUint64(32, pointer(this.#control), true);
  }

  /** The header, with the lengths that the kernel changes set anew. */
  fresh(): Uint8Array<ArrayBuffer> {
    this.#header.setUint32(8, SOCKADDR_IN6_BYTES, true);
    this.#header.setBigUint64(40, BigInt(CONTROL_BYTES), true);
    this.#header.setInt32(48, 0, true);
    return new Uint8Array(this.#header.buffer as ArrayBuffer);
  }

  get control(): Uint8Array {
    return this.#control.subarray(0, Number(this.#header.getBigUint64(40, true)));
  }

  get cut(): boolean {
    return (this.#header.getInt32(48, true) & MSG_TRUNC) !== 0;
  }

  get source(): IpBytes {
    return this.#name.slice(8, 24);
  }

  bytes(length: number): Uint8Array {
    return this.#buffer.subarray(0, length);
  }
}

function pointer(bytes: Uint8Array<ArrayBuffer>): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
}

function socketAddress(address: IpBytes, scope: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SOCKADDR_IN6_BYTES);
  bytes[0] = AF_INET6;
  bytes.set(address, 8);
  // Link-local addresses and groups want their interface; others take none.
  const linkScoped = address[0] === 0xff || (address[0] === 0xfe && (address[1]! & 0xc0) === 0x80);
  if (linkScoped) bytes.set(int32(scope), 24);
  return bytes;
}
