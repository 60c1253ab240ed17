import { assertEquals } from "../assert.ts";
import { lock, seizeLock, unlock } from "../../mod/base/spin_lock.ts";

Deno.test("seizeLock() takes a lock from its dead holder, and from no one else", () => {
  const words = new Int32Array(new SharedArrayBuffer(8));
  assertEquals(seizeLock(words, 1, 2, 0), false, "nobody holds it");
  lock(words, 1, 2);
  assertEquals(seizeLock(words, 1, 1, 0), false, "another holds it");
  assertEquals(seizeLock(words, 1, 2, 0), true);
  assertEquals(seizeLock(words, 1, 2, 0), false, "it is taken already");
  assertEquals(seizeLock(words, 1, 0, 0), true, "the new holder is known");
  unlock(words, 1);
  lock(words, 1, 3);
  assertEquals(words[0], 0, "only its own word has changed");
});
