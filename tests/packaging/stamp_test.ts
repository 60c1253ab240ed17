import { assertEquals } from "../assert.ts";
import { buildVersion } from "../../packaging/stamp.ts";

const COMMIT = { hash: "1a2b3c4", date: "20260131", changed: false, released: false };

Deno.test("buildVersion() is the release's for the tagged commit, and without a repository", () => {
  assertEquals(buildVersion("0.1.0", { ...COMMIT, released: true }), "0.1.0");
  assertEquals(buildVersion("0.1.0", null), "0.1.0");
});

Deno.test("buildVersion() names the commit and its day, and whether files differ from it", () => {
  assertEquals(buildVersion("0.1.0", COMMIT), "0.1.0+20260131.1a2b3c4");
  assertEquals(
    buildVersion("0.1.0", { ...COMMIT, changed: true, released: true }),
    "0.1.0+20260131.1a2b3c4.changed",
  );
});
