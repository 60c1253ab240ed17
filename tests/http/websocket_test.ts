import { createHash } from "node:crypto";
import { sha1, websocketAccept } from "../../mod/http/websocket.ts";
import { assertEquals } from "../assert.ts";

Deno.test("websocketAccept() is RFC 6455's example", () => {
  assertEquals(websocketAccept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
});

Deno.test("sha1() is what everybody's is, at every length around a block", () => {
  for (let size = 0; size < 200; size++) {
    const text = Uint8Array.from({ length: size }, (_, at) => at * 7 + size);
    assertEquals(sha1(text).toHex(), createHash("sha1").update(text).digest("hex"), String(size));
  }
});
