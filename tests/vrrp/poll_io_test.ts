import { openLibc } from "../../mod/base/libc_io.ts";
import { Poller } from "../../vrrp/poll_io.ts";
import { assertEquals } from "../assert.ts";

const NONBLOCK = 0o4000;
const ONE = new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]);

Deno.test({
  name: "Poller() calls the reader of what is readable, then waits again",
  ignore: Deno.build.os !== "linux",
}, async () => {
  const { libc, close } = openLibc();
  const errors: string[] = [];
  const poller = new Poller(libc, ({ message }) => errors.push(message));
  const descriptors = [libc.eventfd(0, NONBLOCK), libc.eventfd(0, NONBLOCK)];
  const read: number[] = [];
  let done = Promise.withResolvers<void>();
  for (const fd of descriptors) {
    poller.add(fd, () => {
      libc.read(fd, new Uint8Array(8), 8n);
      read.push(descriptors.indexOf(fd));
      done.resolve();
    });
  }
  for (const expected of [1, 0, 1]) {
    done = Promise.withResolvers();
    libc.write(descriptors[expected]!, ONE, 8n);
    await done.promise;
    assertEquals(read.pop(), expected);
  }
  // One that is removed is not read; one that throws is told and does not stop the others.
  poller.remove(descriptors[0]!);
  libc.write(descriptors[0]!, ONE, 8n);
  poller.add(descriptors[1]!, () => {
    libc.read(descriptors[1]!, new Uint8Array(8), 8n);
    done.resolve();
    throw new Error("the reader failed");
  });
  for (let turn = 1; turn <= 2; turn++) {
    done = Promise.withResolvers();
    libc.write(descriptors[1]!, ONE, 8n);
    await done.promise;
    await Promise.resolve();
    assertEquals([read.length, errors.length], [0, turn]);
  }
  await poller.close();
  await poller.close();
  for (const fd of descriptors) libc.close(fd);
  close();
});
