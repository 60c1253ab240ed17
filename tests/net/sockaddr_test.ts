import { unixAddress } from "../../mod/net/sockaddr.ts";
import { assertEquals } from "../assert.ts";

Deno.test("unixAddress() ends a path with a zero and begins an abstract name with one", () => {
  assertEquals(unixAddress("/a"), new Uint8Array([1, 0, 0x2f, 0x61, 0]));
  assertEquals(unixAddress("@a"), new Uint8Array([1, 0, 0, 0x61]));
});

Deno.test("unixAddress() refuses what is no unix socket, and what does not fit", () => {
  for (const name of ["", "/", "@", "vsock:2:1", "relative", "/" + "x".repeat(107), "@" + "x".repeat(108)]) {
    assertEquals(unixAddress(name), null, name);
  }
  assertEquals(unixAddress("/" + "x".repeat(106))?.length, 110);
});
