import { cacheStatusLine } from "../../mod/cache/outcome.ts";
import { assertEquals } from "../assert.ts";

Deno.test("RFC 9211 section 2: cacheStatusLine() says what the cache did", () => {
  assertEquals(cacheStatusLine({ forwarded: null, ttl: 5 }), "Cache-Status: tandem; hit; ttl=5\r\n");
  assertEquals(
    cacheStatusLine({ forwarded: "uri-miss", stored: true }),
    "Cache-Status: tandem; fwd=uri-miss; stored\r\n",
  );
  assertEquals(
    cacheStatusLine({ forwarded: "stale", forwardedStatus: 304, ttl: 5, collapsed: true }),
    "Cache-Status: tandem; fwd=stale; fwd-status=304; ttl=5; collapsed\r\n",
  );
  assertEquals(
    cacheStatusLine({ forwarded: "bypass", stored: false }),
    "Cache-Status: tandem; fwd=bypass\r\n",
  );
});
