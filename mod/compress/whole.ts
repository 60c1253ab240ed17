/** Compressing what is in memory as a whole: files and answers of the configuration, once for many requests. Pure. */
import { type Compressors, type Encoding, FINISH, GO } from "./compressor.ts";

/** The compressed bytes, or `bytes` themselves where they would be no fewer; null: no memory for a compressor. */
export function compressWhole(
  compressors: Compressors,
  encoding: Encoding,
  level: number,
  bytes: Uint8Array,
): Uint8Array | null {
  const compressor = compressors.open(encoding, level);
  if (compressor === null) return null;
  const { out } = compressors;
  const parts: Uint8Array[] = [];
  let length = 0;
  const gather = (input: Uint8Array, mode: typeof GO | typeof FINISH) => {
    for (let size = out.length, start = 0; size === out.length;) {
      size = compressor.write(input, start, input.length, mode, out);
      start = input.length - compressor.rest;
      parts.push(out.slice(0, size));
      length += size;
    }
  };
  try {
    gather(bytes, GO);
    gather(NOTHING, FINISH);
  } finally {
    compressors.close(compressor);
  }
  if (length >= bytes.length) return bytes;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const NOTHING = new Uint8Array(0);
