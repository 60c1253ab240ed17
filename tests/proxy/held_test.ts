import fc from "fast-check";
import { BufferPool } from "../../mod/net/buffers.ts";
import { HeldBytes } from "../../mod/proxy/held.ts";
import { assertEquals } from "../assert.ts";

Deno.test("HeldBytes agrees with a plain array, whatever is kept and added", () => {
  const step = fc.record({
    add: fc.uint8Array({ maxLength: 6000 }),
    use: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
    const buffers = new BufferPool();
    const held = new HeldBytes(buffers);
    let plain: number[] = [];
    for (const { add, use } of steps) {
      held.append(add);
      plain.push(...add);
      const used = Math.floor(use * plain.length);
      if (used === plain.length) held.drop();
      else held.keep(held.bytes, held.start + used, held.end);
      plain = plain.slice(used);
      assertEquals([...held.bytes.subarray(held.start, held.end)], plain);
      assertEquals([held.length, held.empty], [plain.length, plain.length === 0]);
      assertEquals(buffers.outstanding, held.empty ? 0 : 1);
    }
    held.drop();
    assertEquals(buffers.outstanding, 0);
  }));
});

Deno.test("HeldBytes.take() gives the buffer away", () => {
  const buffers = new BufferPool();
  const held = new HeldBytes(buffers);
  held.keep(Uint8Array.of(1, 2, 3, 4), 1, 3);
  const lease = held.take();
  assertEquals([...lease.bytes.subarray(0, 2)], [2, 3]);
  assertEquals(held.empty, true);
  held.keep(lease.bytes, 0, 1);
  assertEquals(buffers.outstanding, 2);
  lease.release();
  held.drop();
  assertEquals(buffers.outstanding, 0);
});
