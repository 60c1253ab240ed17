/**
 * Tries whether the numbers that the runtime gives to open files are the kernel's: only then may the kernel be told
 * to send a file by its number. In other versions of the runtime they were numbers of its own.
 */
import fs from "node:fs";
import type { SocketLibc } from "../base/libc_io.ts";

const SEEK_CUR = 1;
/** Where the runtime leaves its own program after reading: no other file of this process stands there. */
const BYTES = 3713;

/** True when they are; the position that a read has left must be the one that the kernel knows. */
export function filesAreKernels(libc: SocketLibc): boolean {
  try {
    const fd = fs.openSync(Deno.execPath(), "r");
    try {
      fs.readSync(fd, new Uint8Array(BYTES));
      return libc.lseek(fd, 0n, SEEK_CUR) === BYTES;
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    return false;
  }
}
