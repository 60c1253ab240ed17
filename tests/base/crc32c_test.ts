import { crc32c } from "../../mod/base/crc32c.ts";
import { fromLatin1 } from "../../mod/http/grammar.ts";
import { assertEquals } from "../assert.ts";

Deno.test("crc32c() RFC 3720 appendix B.4: the examples", () => {
  const ascending = Uint8Array.from({ length: 32 }, (_, at) => at);
  assertEquals(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assertEquals(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assertEquals(crc32c(ascending), 0x46dd794e);
  assertEquals(crc32c(ascending.toReversed()), 0x113fdb5c);
  assertEquals(crc32c(fromLatin1("123456789")), 0xe3069283);
  assertEquals(crc32c(new Uint8Array(0)), 0);
});
