import { assertEquals } from "../assert.ts";
import { Bell } from "../../mod/base/bell.ts";

Deno.test("listen() calls at once, then after every ring, also one from within a call, until stop()", async () => {
  const words = new Int32Array(new SharedArrayBuffer(8));
  const [own, theirs] = [new Bell(words, 1), new Bell(words, 1)];
  let heard = 0;
  let next = Promise.withResolvers<void>();
  const listening = own.listen(() => {
    heard++;
    // Rung before the wait begins: not to be lost.
    if (heard === 2) theirs.ring();
    if (heard === 1 || heard === 3) next.resolve();
  });
  // A pending wait does not keep the event loop alive.
  const alive = setInterval(() => {}, 1000);
  await next.promise;
  next = Promise.withResolvers();
  theirs.ring();
  await next.promise;
  assertEquals(heard, 3);
  own.stop();
  await listening;
  assertEquals(heard, 3);
  clearInterval(alive);
});
