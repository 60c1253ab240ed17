/**
 * VRRP over IPv4: one raw socket hears protocol 112 with its IP header, another is handed packets with the header
 * already before them, so that the source address is ours and not what the kernel picks once the virtual address is
 * on the interface.
 *
 * They are on two interfaces where there is a virtual MAC. On the one that has it a backup would hear nothing: it has
 * no address there, and the kernel drops what comes to such an interface when it checks reverse paths (rp_filter).
 */
import type { IpBytes } from "../mod/base/address.ts";
import { errno, type Libc } from "../mod/base/libc_io.ts";
import { readIpv4, writeIpv4 } from "./ip_header.ts";
import { GROUPS } from "./judge.ts";
import type { Link } from "./netlink.ts";
import { VRRP_PROTOCOL } from "./packet.ts";
import type { RawFace, RawOptions } from "./raw_io.ts";
import { int32, MSG_DONTWAIT, openRawSocket, type Option } from "./socket_io.ts";

const AF_INET = 2;
/** Only sends, and is given whole packets. */
const IPPROTO_RAW = 255;
const IPPROTO_IP = 0;
const IP_MULTICAST_IF = 32;
const IP_MULTICAST_LOOP = 34;
const IP_ADD_MEMBERSHIP = 35;
const IP_MULTICAST_ALL = 49;
const SOCKADDR_IN_BYTES = 16;
/** The longest header, 255 addresses, and something that follows them. */
const RECEIVE_BYTES = 2048;

export function openRaw4(libc: Libc, { link, lower, local, peers }: RawOptions): RawFace {
  // ip_mreqn: group, address, interface.
  const onInterface = ({ index }: Link) => new Uint8Array([...GROUPS[4], ...local.address, ...int32(index)]);
  const joined: Option[] = peers.length > 0 ? [] : [[IPPROTO_IP, IP_ADD_MEMBERSHIP, onInterface(lower)]];
  const fd = openRawSocket(libc, AF_INET, VRRP_PROTOCOL, lower.name, [
    // Not what another program of this host has joined.
    [IPPROTO_IP, IP_MULTICAST_ALL, 0],
    ...joined,
  ]);
  let speaker: number;
  try {
    speaker = openRawSocket(libc, AF_INET, IPPROTO_RAW, link.name, [
      [IPPROTO_IP, IP_MULTICAST_IF, onInterface(link)],
      [IPPROTO_IP, IP_MULTICAST_LOOP, 0],
    ]);
  } catch (error) {
    libc.close(fd);
    throw error;
  }
  const buffer = new Uint8Array(RECEIVE_BYTES);
  return {
    fd,
    receive() {
      const length = libc.recv(fd, buffer, BigInt(RECEIVE_BYTES), MSG_DONTWAIT);
      return length < 0 ? errno(libc) : readIpv4(buffer.subarray(0, length));
    },
    send(bytes: Uint8Array, destination: IpBytes) {
      const packet = writeIpv4(local.address, destination, bytes);
      const sent = libc.sendto(
        speaker,
        packet,
        BigInt(packet.length),
        MSG_DONTWAIT,
        socketAddress(destination),
        SOCKADDR_IN_BYTES,
      );
      return sent < 0 ? errno(libc) : 0;
    },
    close() {
      libc.close(fd);
      libc.close(speaker);
    },
  };
}

function socketAddress(address: IpBytes): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SOCKADDR_IN_BYTES);
  bytes[0] = AF_INET;
  bytes.set(address, 4);
  return bytes;
}
