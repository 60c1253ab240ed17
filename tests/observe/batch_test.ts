import { Batch } from "../../mod/observe/batch.ts";
import { assertEquals } from "../assert.ts";

function add(batch: Batch, size: number, byte = 0x61): boolean {
  if (!batch.reserve(size)) return false;
  batch.bytes.fill(byte, batch.length, batch.length + size);
  batch.length += size;
  return true;
}

Deno.test("take() gives what was written, in order, and begins anew", () => {
  const batch = new Batch();
  assertEquals(batch.take(), null);
  add(batch, 10_000, 1);
  add(batch, 10_000, 2); // grows, and keeps what is there
  const taken = batch.take()!;
  assertEquals([taken.length, taken[0], taken[9_999], taken[10_000]], [20_000, 1, 1, 2]);
  assertEquals(taken.buffer.byteLength, 20_000);
  assertEquals(batch.take(), null);
});

Deno.test("take() waits for the sink after two batches", () => {
  const batch = new Batch();
  for (let n = 0; n < 2; n++) {
    add(batch, 300_000);
    assertEquals(batch.ready, true);
    assertEquals(batch.take()?.length, 300_000);
  }
  add(batch, 300_000);
  assertEquals([batch.ready, batch.take()], [false, null]);
  batch.written();
  assertEquals([batch.ready, batch.take()?.length], [true, 300_000]);
});

Deno.test("reserve() drops and counts what would go over the bound", () => {
  const batch = new Batch(100_000);
  assertEquals([add(batch, 60_000), add(batch, 60_000), add(batch, 40_000)], [true, false, true]);
  assertEquals([batch.dropped, batch.length], [1, 100_000]);
});
