/** Files of `/proc`, which Deno opens only with every permission: read through libc. */
import { cString, lastError, type Libc, withLibc } from "./libc_io.ts";

const O_RDONLY = 0;
const O_CLOEXEC = 0o2000000;
const MOST_BYTES = 64 * 1024;

/** The text of a file, 64 KiB of it at most. Throws when it cannot be read. */
export function readProcFile(path: string): string {
  return withLibc((libc) => readWith(libc, path));
}

/** The same with a library that is open. */
export function readWith(libc: Libc, path: string): string {
  const fd = libc.open(cString(path), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw new Error(lastError(libc));
  try {
    const buffer = new Uint8Array(MOST_BYTES);
    let at = 0;
    while (at < MOST_BYTES) {
      const length = libc.read(fd, buffer.subarray(at), BigInt(MOST_BYTES - at));
      if (length < 0) throw new Error(lastError(libc));
      if (length === 0) break;
      at += length;
    }
    return new TextDecoder().decode(buffer.subarray(0, at));
  } finally {
    libc.close(fd);
  }
}
