/**
 * The few calls of libc that Deno has no face for: prctl, open/read/write for `/proc/sys` (which Deno opens only
 * with every permission), the clock of the kernel, and the sockets it does not know: packet, raw, netlink, and datagrams to
 * an abstract name, with one `poll` for all that is heard.
 *
 * The only place that loads a library but for `net/openssl_library_io.ts`. The bare name goes through the loader, so it fits every architecture; it
 * needs `--allow-ffi` without a path. The keeper uses the first list; a data worker the last, of socket calls only.
 * Structures that callers lay out are those of little-endian Linux with 64-bit pointers
 * (x86-64 and arm64), whose layouts agree unless the caller says otherwise.
 */

const SYMBOLS = {
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  // As glibc has them, for every thread of the process.
  setgroups: { parameters: ["usize", "pointer"], result: "i32" },
  setresgid: { parameters: ["u32", "u32", "u32"], result: "i32" },
  setresuid: { parameters: ["u32", "u32", "u32"], result: "i32" },
  nice: { parameters: ["i32"], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  access: { parameters: ["buffer", "i32"], result: "i32" },
  // Counts are far below 2 GiB here, and a 64-bit result would come back as a BigInt.
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  opendir: { parameters: ["buffer"], result: "pointer" },
  readdir: { parameters: ["pointer"], result: "pointer" },
  closedir: { parameters: ["pointer"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  sendto: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  adjtimex: { parameters: ["buffer"], result: "i32" },
  recvmsg: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  // Waits on a thread of the pool. With 32 such calls under way all file operations of the process hang: so one only.
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32", nonblocking: true },
  __errno_location: { parameters: [], result: "pointer" },
} as const;

/** For a process that has given up the runtime's permission to write. */
const FILE_SYMBOLS = {
  create: { name: "open", parameters: ["buffer", "i32", "u32"], result: "i32" },
  write: SYMBOLS.write,
  // A slow disk holds up a thread of the pool alone.
  write_apart: { name: "write", parameters: SYMBOLS.write.parameters, result: "i32", nonblocking: true },
  rename: { parameters: ["buffer", "buffer"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  close: SYMBOLS.close,
  __errno_location: SYMBOLS.__errno_location,
} as const;

/** Nothing here waits but the last. A call costs some 20 ns besides the kernel's work. */
const SOCKET_SYMBOLS = {
  recv: SYMBOLS.recv,
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  socket: SYMBOLS.socket,
  recvfrom: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "buffer"], result: "i32" },
  sendto: SYMBOLS.sendto,
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  bind: SYMBOLS.bind,
  listen: { parameters: ["i32", "i32"], result: "i32" },
  accept4: { parameters: ["i32", "buffer", "buffer", "i32"], result: "i32" },
  // Of at most 2 GiB at a time.
  sendfile: { parameters: ["i32", "i32", "buffer", "usize"], result: "i32" },
  lseek: { parameters: ["i32", "i64", "i32"], result: "i32" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  close: SYMBOLS.close,
  setsockopt: SYMBOLS.setsockopt,
  getsockopt: SYMBOLS.getsockopt,
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  eventfd: SYMBOLS.eventfd,
  eventfd_write: { parameters: ["i32", "u64"], result: "i32" },
  __errno_location: SYMBOLS.__errno_location,
  memcpy: { parameters: ["buffer", "pointer", "usize"], result: "void" },
  malloc: { parameters: ["usize"], result: "pointer" },
  // Waits on a thread of the pool; see `poll` above. Its memory is C's, as this thread may end before that one.
  epoll_wait_apart: {
    name: "epoll_wait",
    parameters: ["i32", "pointer", "i32", "i32"],
    result: "i32",
    nonblocking: true,
  },
} as const;

export type SocketLibc = Deno.DynamicLibrary<typeof SOCKET_SYMBOLS>["symbols"];
export interface SocketLibrary {
  readonly libc: SocketLibc;
  close(): void;
}

/** Opens the socket calls until `close`. Throws what `Deno.dlopen` throws. */
export function openSocketLibc(): SocketLibrary {
  const library = Deno.dlopen("libc.so.6", SOCKET_SYMBOLS);
  return { libc: library.symbols, close: () => library.close() };
}

export type FileLibc = Deno.DynamicLibrary<typeof FILE_SYMBOLS>["symbols"];

/** Opens the calls for files until `close`. Throws what `Deno.dlopen` throws. */
export function openFileLibc(): { readonly libc: FileLibc; close(): void } {
  const library = Deno.dlopen("libc.so.6", FILE_SYMBOLS);
  return { libc: library.symbols, close: () => library.close() };
}

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
export function errno(libc: Pick<Libc, "__errno_location">): number {
  const at = libc.__errno_location();
  return at === null ? 0 : new Deno.UnsafePointerView(at).getInt32();
}

/** The error of the call before, by name where a reader will meet it. */
export function lastError(libc: Pick<Libc, "__errno_location">): string {
  return errorName(errno(libc));
}

/** What an error number of Linux means. */
export function errorName(code: number): string {
  return ERRNO[code] ?? `error ${code}`;
}

export const EPERM = 1;
export const ENOENT = 2;
export const ESRCH = 3;
export const EINTR = 4;
export const EAGAIN = 11;
export const EEXIST = 17;
export const ENODEV = 19;
export const EPIPE = 32;
export const EINPROGRESS = 115;
export const EADDRNOTAVAIL = 99;
export const ECONNABORTED = 103;
export const ECONNRESET = 104;
export const ENOBUFS = 105;

const ERRNO: Readonly<Record<number, string>> = {
  1: "operation not permitted",
  2: "no such file or directory",
  3: "no such process or route",
  6: "no such device or address",
  12: "out of memory",
  13: "permission denied",
  17: "it exists already",
  19: "no such device",
  20: "a part of the path is no directory",
  22: "invalid argument",
  23: "too many open files on this machine",
  21: "it is a directory",
  24: "too many open files",
  28: "no space left",
  30: "read-only file system",
  32: "broken pipe",
  90: "too long for the interface's MTU",
  97: "address family not supported",
  98: "the address is in use",
  99: "no such address, or no free port",
  100: "the network is down",
  101: "the network is unreachable",
  104: "connection reset",
  105: "no buffer space",
  110: "timed out",
  111: "connection refused",
  113: "no route to the host",
};
