import { acceptedEncodings, type Encoding } from "../../mod/files/negotiate.ts";
import { assertEquals } from "../assert.ts";

const ALL: readonly Encoding[] = ["br", "zstd", "gzip"];

function accepted(header: string | null, offered = ALL): string {
  return acceptedEncodings(header, offered).join(" ");
}

Deno.test("RFC 9110 section 12.5.3: what is named with a weight above 0 is taken, the rest is not", () => {
  assertEquals(accepted(null), "");
  assertEquals(accepted(""), "");
  assertEquals(accepted("gzip, deflate, br"), "br gzip");
  assertEquals(accepted("gzip;q=0, br"), "br");
  assertEquals(accepted("*"), "br zstd gzip");
  assertEquals(accepted("*, br;q=0"), "zstd gzip");
  assertEquals(accepted("identity"), "");
  assertEquals(accepted("x-gzip"), "gzip");
  assertEquals(accepted("GZIP"), "gzip");
});

Deno.test("acceptedEncodings() goes by weight, then by our order", () => {
  assertEquals(accepted("gzip, br;q=0.9, zstd;q=0.95"), "gzip zstd br");
  assertEquals(accepted("gzip;q=0.5, br;q=0.5"), "br gzip");
  assertEquals(accepted("gzip, br", ["gzip", "br"]), "gzip br");
});

Deno.test("acceptedEncodings() leaves out what is wanted less than the file as it is", () => {
  assertEquals(accepted("identity, gzip;q=0.5"), "");
  assertEquals(accepted("identity;q=0.5, gzip;q=0.5, br;q=0.4"), "gzip");
  assertEquals(accepted("identity;q=0, gzip;q=0.1"), "gzip");
});

Deno.test("acceptedEncodings() a malformed member takes part in nothing", () => {
  assertEquals(accepted("gzip;q=2, br"), "br");
  assertEquals(accepted("gzip;level=9, br;q=0.0001, zstd ; Q=0.5"), "zstd");
  assertEquals(accepted(`${"x,".repeat(100_000)}gzip`), "");
});
