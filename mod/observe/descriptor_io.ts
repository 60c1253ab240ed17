/**
 * Writes to descriptors that the runtime does not know, through libc and on a thread of the pool, as a slow disk and a
 * reader that stalls hold up whoever writes.
 */
import { EAGAIN, errno, errorName, type FileLibc, openFileLibc } from "../base/libc_io.ts";
import type { ByteWriter } from "./sink_io.ts";

/** How long a full pipe that does not make its writer wait is left alone. */
const FULL_MS = 20;

/** Writes once; how much was taken. Throws with the reason. */
export async function writeTo(libc: FileLibc, fd: number, bytes: Uint8Array): Promise<number> {
  const own = bytes as Uint8Array<ArrayBuffer>;
  while (true) {
    const written = await libc.write_apart(fd, own, BigInt(own.length));
    if (written >= 0) return written;
    // The reason of a failure is known on the thread of the call alone: it is made again on this one.
    const again = libc.write(fd, own, BigInt(own.length));
    if (again >= 0) return again;
    const error = errno(libc);
    if (error !== EAGAIN) throw new Error(errorName(error));
    await new Promise((resolve) => setTimeout(resolve, FULL_MS));
  }
}

/** Writes to one descriptor, which stays open as long as the process lives. */
export class DescriptorWriter implements ByteWriter {
  readonly #libc = openFileLibc().libc;

  constructor(readonly fd: number) {}

  write(bytes: Uint8Array): Promise<number> {
    return writeTo(this.#libc, this.fd, bytes);
  }
}
