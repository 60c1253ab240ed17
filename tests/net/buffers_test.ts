import { BufferPool, HUGE_BYTES, LARGE_BYTES, SMALL_BYTES } from "../../mod/net/buffers.ts";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "../assert.ts";

Deno.test("BufferPool gives buffers of three sizes, and larger ones as asked", () => {
  const pool = new BufferPool();
  assertEquals(pool.small().bytes.length, SMALL_BYTES);
  assertEquals(pool.large().bytes.length, LARGE_BYTES);
  for (const [asked, got] of [[0, SMALL_BYTES], [SMALL_BYTES, SMALL_BYTES], [SMALL_BYTES + 1, LARGE_BYTES]]) {
    assertEquals(pool.atLeast(asked!).bytes.length, got);
  }
  assertEquals(pool.atLeast(LARGE_BYTES + 1).bytes.length, HUGE_BYTES);
  assertEquals(pool.atLeast(HUGE_BYTES + 1).bytes.length, HUGE_BYTES + 1);
  assertEquals(pool.outstanding, 7);
});

Deno.test("BufferPool never gives one buffer twice", () => {
  const pool = new BufferPool();
  const leases = Array.from({ length: 300 }, () => pool.small());
  for (const [index, lease] of leases.entries()) lease.bytes.fill(index % 251);
  for (const [index, lease] of leases.entries()) assert(lease.bytes.every((byte) => byte === index % 251));
  for (const lease of leases) lease.release();
  assertEquals(pool.outstanding, 0);
});

Deno.test("BufferPool uses released buffers again", () => {
  const pool = new BufferPool();
  for (const take of [() => pool.small(), () => pool.large(), () => pool.huge()]) {
    const lease = take();
    lease.release();
    assertStrictEquals(take(), lease);
  }
});

Deno.test("Lease.release() gives it back once every owner has, and not more often", () => {
  const pool = new BufferPool();
  const lease = pool.small().share().share();
  lease.release();
  lease.release();
  assertEquals(pool.outstanding, 1);
  lease.release();
  assertEquals(pool.outstanding, 0);
  assertThrows(() => lease.release(), Error, "already free");
});

Deno.test("Lease.first() is a view of as many bytes as asked for, whatever was asked for before", () => {
  const pool = new BufferPool();
  const lease = pool.small();
  lease.bytes.set([1, 2, 3]);
  for (const size of [3, 2, 2, 3, lease.bytes.length]) {
    const view = lease.first(size);
    assertEquals([view.length, view.buffer, view.byteOffset], [
      size,
      lease.bytes.buffer,
      lease.bytes.byteOffset,
    ]);
  }
  lease.bytes[0] = 9;
  assertEquals([...lease.first(2)], [9, 2]);
  lease.release();
});
