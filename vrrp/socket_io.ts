/**
 * A raw socket of libc, opened and set up step by step: the first step that the kernel refuses throws, with its name,
 * and leaves nothing open.
 */
import { cString, EPERM, errno, errorName, type Libc } from "../mod/base/libc_io.ts";

const SOCK_RAW_CLOEXEC_NONBLOCK = 3 | 0o2000000 | 0o4000;
const SOL_SOCKET = 1;
const SO_BINDTODEVICE = 25;
export const MSG_DONTWAIT = 0x40;

export type Option = readonly [level: number, name: number, value: number | Uint8Array<ArrayBuffer>];

/** Opens a socket that sends and hears on one interface only. */
export function openRawSocket(
  libc: Libc,
  family: number,
  protocol: number,
  device: string,
  options: readonly Option[],
): number {
  const fd = libc.socket(family, SOCK_RAW_CLOEXEC_NONBLOCK, protocol);
  if (fd < 0) throw refusal("open a raw socket", errno(libc));
  for (
    const [level, name, value] of [[SOL_SOCKET, SO_BINDTODEVICE, cString(device)], ...options] as Option[]
  ) {
    const bytes = typeof value === "number" ? int32(value) : value;
    if (libc.setsockopt(fd, level, name, bytes, bytes.length) === 0) continue;
    const code = errno(libc);
    libc.close(fd);
    throw refusal(`set option ${level}/${name} of a raw socket on ${device}`, code);
  }
  return fd;
}

export function int32(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Int32Array([value]).buffer);
}

function refusal(what: string, code: number): Error {
  const cure = code === EPERM ? ": VRRP itself (IP protocol 112) needs CAP_NET_RAW" : "";
  return new Error(`Cannot ${what}: ${errorName(code)}${cure}`);
}
