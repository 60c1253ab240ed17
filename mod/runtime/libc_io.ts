/**
 * The few calls of libc that Deno has no face for: prctl, and open/read/write for `/proc/sys`, which Deno opens
 * only with every permission.
 *
 * Loaded for one use and closed again. The bare name goes through the loader, so it fits every architecture; it
 * needs `--allow-ffi` without a path. Only the keeper may use it: the balancer has given `ffi` up.
 */

const SYMBOLS = {
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  // Counts are far below 2 GiB here, and a 64-bit result would come back as a BigInt.
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  __errno_location: { parameters: [], result: "pointer" },
} as const;

export type Libc = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** Opens libc for the time of one function. Throws what `Deno.dlopen` throws: no permission, no such library. */
export function withLibc<T>(use: (libc: Libc) => T): T {
  const library = Deno.dlopen("libc.so.6", SYMBOLS);
  try {
    return use(library.symbols);
  } finally {
    library.close();
  }
}

/** A string as C wants it. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text + "\0");
}

/** The error of the call before, by name where a reader will meet it. */
export function lastError(libc: Libc): string {
  const at = libc.__errno_location();
  const code = at === null ? 0 : new Deno.UnsafePointerView(at).getInt32();
  return ERRNO[code] ?? `error ${code}`;
}

const ERRNO: Readonly<Record<number, string>> = {
  1: "operation not permitted",
  2: "no such file",
  13: "permission denied",
  22: "invalid argument",
  30: "read-only file system",
};
