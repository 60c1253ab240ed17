/** Small copies, and big-endian numbers as the frames have them. */

/** Up to this many bytes a loop is cheaper than making a view. */
const LOOP_BYTES = 48;

export function copyBytes(out: Uint8Array, at: number, bytes: Uint8Array, start: number, end: number): void {
  if (end - start > LOOP_BYTES) out.set(bytes.subarray(start, end), at);
  else for (let i = start; i < end; i++) out[at++] = bytes[i]!;
}

export function read16(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 8 | bytes[at + 1]!;
}

/** Unsigned. */
export function read32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
}

/** Without the reserved bit. */
export function read31(bytes: Uint8Array, at: number): number {
  return read32(bytes, at) & 0x7fffffff;
}

export function write32(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
}
