/** Copies of bytes, mostly of few. */

/** Up to this many bytes a loop is cheaper than making a view. */
const LOOP_BYTES = 48;

/** Copies `bytes` from `start` to `end` to `out` at `at`. */
export function copyBytes(out: Uint8Array, at: number, bytes: Uint8Array, start: number, end: number): void {
  if (end - start > LOOP_BYTES) out.set(bytes.subarray(start, end), at);
  else for (let i = start; i < end; i++) out[at++] = bytes[i]!;
}
