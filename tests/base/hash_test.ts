import { assertAlmostEquals, assertEquals } from "../assert.ts";
import { fraction, hash128, hash32, hashText, mix32 } from "../../mod/base/hash.ts";

const encoder = new TextEncoder();

/** SMHasher's verification: hashes of {}, {0}, {0,1} … with seeds 256, 255 …, then the hash of all these. */
function verification(size: number, hash: (bytes: Uint8Array, seed: number) => Uint8Array): number {
  const key = Uint8Array.from({ length: 256 }, (_, i) => i);
  const hashes = new Uint8Array(256 * size);
  for (let i = 0; i < 256; i++) hashes.set(hash(key.subarray(0, i), 256 - i), i * size);
  return new DataView(hash(hashes, 0).buffer).getUint32(0, true);
}

Deno.test("hash32() is MurmurHash3_x86_32 by SMHasher's verification value", () => {
  const value = verification(4, (bytes, seed) => {
    return new Uint8Array(Uint32Array.of(hash32(bytes, 0, bytes.length, seed)).buffer);
  });
  assertEquals(value, 0xb0f57ee3);
});

Deno.test("hash128() is MurmurHash3_x86_128 by SMHasher's verification value", () => {
  const value = verification(16, (bytes, seed) => {
    const out = new Uint32Array(4);
    hash128(out, bytes, 0, bytes.length, seed);
    return new Uint8Array(out.buffer);
  });
  assertEquals(value, 0xb3ece62a);
});

Deno.test("hash32() of a known text is what everyone gets", () => {
  assertEquals(hash32(encoder.encode("hello")), 0x248bfa47);
  assertEquals(hash32(encoder.encode("")), 0);
});

Deno.test("hash32() and hash128() of a range are those of the bytes alone", () => {
  const bytes = encoder.encode("GET /path/of/some/length HTTP/1.1");
  for (let start = 0; start < bytes.length; start++) {
    for (let end = start; end <= bytes.length; end++) {
      const copy = bytes.slice(start, end);
      assertEquals(hash32(bytes, start, end), hash32(copy));
      const [whole, alone] = [new Uint32Array(4), new Uint32Array(4)];
      hash128(whole, bytes, start, end);
      hash128(alone, copy);
      assertEquals(whole, alone);
    }
  }
});

Deno.test("hashText() spreads addresses evenly over a thousand buckets", () => {
  const counts = new Float64Array(1000);
  for (let a = 0; a < 250; a++) {
    for (let b = 0; b < 400; b++) counts[Math.floor(fraction(hashText(`10.0.${a}.${b}`)) * 1000)]! += 1;
  }
  // Chi squared of 999 degrees of freedom: mean 999, standard deviation 45.
  const chi = counts.reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0);
  assertAlmostEquals(chi, 999, 5 * 45);
});

Deno.test("mix32() changes about half of the bits for each bit that changes", () => {
  for (let bit = 0; bit < 32; bit++) {
    let changed = 0;
    for (let n = 0; n < 1000; n++) {
      let difference = mix32(n * 7919) ^ mix32((n * 7919) ^ 1 << bit);
      for (; difference !== 0; difference &= difference - 1) changed++;
    }
    assertAlmostEquals(changed / 1000, 16, 1);
  }
});
