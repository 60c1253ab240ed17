/**
 * Hashes for spreading keys, not for secrets: MurmurHash3 in its 32-bit and its 128-bit x86 form (Austin Appleby,
 * public domain), on byte ranges so that a header can be hashed where it lies. The same on every node, so two nodes
 * send a key to the same server. Whoever must not be outguessed (shared tables) gives a random seed.
 */

const BITS32 = 2 ** 32;
/** The golden ratio in 32 bits: steps of it spread evenly. */
export const GOLDEN = 0x9e3779b9;

/** Murmur3's finalizer: every bit of a 32-bit number changes about half of all. Answers without a sign. */
export function mix32(n: number): number {
  n = Math.imul(n ^ n >>> 16, 0x85ebca6b);
  n = Math.imul(n ^ n >>> 13, 0xc2b2ae35);
  return (n ^ n >>> 16) >>> 0;
}

/** A 32-bit hash as a fraction: at least 0, below 1. */
export function fraction(hash: number): number {
  return (hash >>> 0) / BITS32;
}

/** MurmurHash3_x86_32 of `bytes[start..end)`, 32 bits without a sign. */
export function hash32(bytes: Uint8Array, start = 0, end = bytes.length, seed = 0): number {
  let h = seed;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    h ^= scramble(word(bytes, at), 0xcc9e2d51, 15, 0x1b873593);
    h = Math.imul(rotateLeft(h, 13), 5) + 0xe6546b64 | 0;
  }
  if (at < end) h ^= scramble(tail(bytes, at, end), 0xcc9e2d51, 15, 0x1b873593);
  return mix32(h ^ end - start);
}

/**
 * Hash of a text without encoding it: FNV-1a over its UTF-16 units, then mixed. Another hash than `hash32` of the
 * same text, so one kind of key must keep to one of them.
 */
export function hashText(text: string, seed = 0): number {
  let h = seed ^ 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mix32(h ^ text.length);
}

/** MurmurHash3_x86_128 of `bytes[start..end)` into the four words of `out`, the keys of `SharedTable`. */
export function hash128(out: Uint32Array, bytes: Uint8Array, start = 0, end = bytes.length, seed = 0): void {
  let h1 = seed, h2 = seed, h3 = seed, h4 = seed;
  let at = start;
  for (; at + 16 <= end; at += 16) {
    h1 ^= scramble(word(bytes, at), 0x239b961b, 15, 0xab0e9789);
    h1 = Math.imul(rotateLeft(h1, 19) + h2, 5) + 0x561ccd1b | 0;
    h2 ^= scramble(word(bytes, at + 4), 0xab0e9789, 16, 0x38b34ae5);
    h2 = Math.imul(rotateLeft(h2, 17) + h3, 5) + 0x0bcaa747 | 0;
    h3 ^= scramble(word(bytes, at + 8), 0x38b34ae5, 17, 0xa1e38b93);
    h3 = Math.imul(rotateLeft(h3, 15) + h4, 5) + 0x96cd1c35 | 0;
    h4 ^= scramble(word(bytes, at + 12), 0xa1e38b93, 18, 0x239b961b);
    h4 = Math.imul(rotateLeft(h4, 13) + h1, 5) + 0x32ac3b17 | 0;
  }
  // Words of the tail that are not there count as 0, which scrambles to 0.
  h1 ^= scramble(tail(bytes, at, end), 0x239b961b, 15, 0xab0e9789);
  h2 ^= scramble(tail(bytes, at + 4, end), 0xab0e9789, 16, 0x38b34ae5);
  h3 ^= scramble(tail(bytes, at + 8, end), 0x38b34ae5, 17, 0xa1e38b93);
  h4 ^= scramble(tail(bytes, at + 12, end), 0xa1e38b93, 18, 0x239b961b);
  finish(out, h1 ^ end - start, h2 ^ end - start, h3 ^ end - start, h4 ^ end - start);
}

function finish(out: Uint32Array, h1: number, h2: number, h3: number, h4: number): void {
  h1 = h1 + h2 + h3 + h4 | 0;
  const m1 = mix32(h1), m2 = mix32(h2 + h1), m3 = mix32(h3 + h1), m4 = mix32(h4 + h1);
  const sum = m1 + m2 + m3 + m4 | 0;
  out[0] = sum;
  out[1] = m2 + sum;
  out[2] = m3 + sum;
  out[3] = m4 + sum;
}

/** Murmur3's treatment of one word before it goes into the state. */
function scramble(k: number, first: number, bits: number, second: number): number {
  return Math.imul(rotateLeft(Math.imul(k, first), bits), second);
}

function rotateLeft(n: number, bits: number): number {
  return n << bits | n >>> 32 - bits;
}

/** Little-endian word. */
function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24;
}

/** Little-endian word of what is left before `end`, at most four bytes. */
function tail(bytes: Uint8Array, at: number, end: number): number {
  let k = 0;
  for (let i = Math.min(end, at + 4) - 1; i >= at; i--) k = k << 8 | bytes[i]!;
  return k;
}
