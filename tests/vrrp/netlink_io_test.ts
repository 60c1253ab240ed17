/** A socket of netlink over a libc of memory; the kernel's own is in the lab tests. */
import type { Libc } from "../../mod/base/libc_io.ts";
import { NetlinkSocket } from "../../vrrp/netlink_io.ts";
import { assertEquals } from "../assert.ts";

const [RTM_NEWLINK, NLMSG_DONE, NLM_F_DUMP_INTR, AGAIN] = [16, 3, 0x10, 11];

/** A message with a body: of a link its name. */
function message(type: number, flags: number, sequence: number, name = ""): number[] {
  const body = [...new TextEncoder().encode(name)];
  const attribute = name === ""
    ? []
    : [body.length + 4, 0, 3, 0, ...body, ...Array(-body.length & 3).fill(0)];
  const bytes = [...Array(type === RTM_NEWLINK ? 16 : 4).fill(0), ...attribute];
  return [16 + bytes.length, 0, 0, 0, type, 0, flags, 0, sequence, 0, 0, 0, 0, 0, 0, 0, ...bytes];
}

/** Answers the n-th list with the links of the n-th entry; the last entry for ever. */
function answering(...lists: { readonly names: readonly string[]; readonly interrupted: boolean }[]) {
  let asked = 0;
  const waiting: number[][] = [];
  const libc = {
    socket: () => 7,
    bind: () => 0,
    close: () => 0,
    sendto: (_fd: number, request: Uint8Array) => {
      const { names, interrupted } = lists[Math.min(asked, lists.length - 1)]!;
      asked++;
      const sequence = request[8]!;
      for (const [at, name] of names.entries()) {
        // The kernel marks the message at which it notices, and not those before and after it.
        waiting.push(message(RTM_NEWLINK, interrupted && at === 0 ? NLM_F_DUMP_INTR : 0, sequence, name));
      }
      waiting.push(message(NLMSG_DONE, 0, sequence));
      return request.length;
    },
    recv: (_fd: number, buffer: Uint8Array) => {
      const next = waiting.shift();
      if (next === undefined) return -1;
      buffer.set(next);
      return next.length;
    },
    __errno_location: () => Deno.UnsafePointer.of(new Int32Array([AGAIN])),
  };
  return { socket: new NetlinkSocket(libc as unknown as Libc), asked: () => asked };
}

Deno.test("links() asks again when the list changed while it was read, and not for ever", () => {
  const [broken, whole] = [{ names: ["lo"], interrupted: true }, {
    names: ["lo", "eth0"],
    interrupted: false,
  }];
  const names = ({ socket }: ReturnType<typeof answering>) => socket.links().map(({ name }) => name);
  const once = answering(broken, broken, whole);
  assertEquals([names(once), once.asked()], [["lo", "eth0"], 3]);
  assertEquals([names(once), once.asked()], [["lo", "eth0"], 4]);
  const always = answering(broken);
  assertEquals([names(always), always.asked()], [["lo"], 4]);
});
