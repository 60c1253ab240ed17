/**
 * The few calls of libc that Deno has no face for: prctl, open/read/write for `/proc/sys` (which Deno opens only
 * with every permission), and the sockets it does not know: packet, raw and netlink, with one `poll` for all of them.
 *
 * The only place that loads a library. The bare name goes through the loader, so it fits every architecture; it
 * needs `--allow-ffi` without a path. Only the keeper may use it: the balancer has given `ffi` up. Structures that
 * callers lay out are those of little-endian Linux with 64-bit pointers (x86-64 and arm64), whose layouts agree.
 */

const SYMBOLS = {
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  // Counts are far below 2 GiB here, and a 64-bit result would come back as a BigInt.
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  sendto: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  recvmsg: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  // Waits on a thread of the pool. With 32 such calls under way all file operations of the process hang: so one only.
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32", nonblocking: true },
  __errno_location: { parameters: [], result: "pointer" },
} as const;

type Library = Deno.DynamicLibrary<typeof SYMBOLS>;
export type Libc = Library["symbols"];

/** Opens libc until `close`. Throws what `Deno.dlopen` throws: no permission, no such library. */
export function openLibc(): { readonly libc: Libc; close(): void } {
  const library = Deno.dlopen("libc.so.6", SYMBOLS);
  return { libc: library.symbols, close: () => library.close() };
}

/** Opens libc for the time of one function. Throws what `Deno.dlopen` throws: no permission, no such library. */
export function withLibc<T>(use: (libc: Libc) => T): T {
  const { libc, close } = openLibc();
  try {
    return use(libc);
  } finally {
    close();
  }
}

/** A string as C wants it. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text + "\0");
}

/** The number of the error of the call before; good only after a call that did not leave this thread. */
export function errno(libc: Libc): number {
  const at = libc.__errno_location();
  return at === null ? 0 : new Deno.UnsafePointerView(at).getInt32();
}

/** The error of the call before, by name where a reader will meet it. */
export function lastError(libc: Libc): string {
  return errorName(errno(libc));
}

/** What an error number of Linux means. */
export function errorName(code: number): string {
  return ERRNO[code] ?? `error ${code}`;
}

export const EPERM = 1;
export const EINTR = 4;
export const EAGAIN = 11;
export const ENODEV = 19;
export const EADDRNOTAVAIL = 99;
export const ENOBUFS = 105;

const ERRNO: Readonly<Record<number, string>> = {
  1: "operation not permitted",
  2: "no such file",
  6: "no such device or address",
  13: "permission denied",
  17: "it exists already",
  19: "no such device",
  22: "invalid argument",
  30: "read-only file system",
  97: "address family not supported",
  99: "no such address",
  100: "the network is down",
  105: "no buffer space",
};
