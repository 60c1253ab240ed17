import { fixCookieDomain, fixCookiePath, fixLocation } from "../../mod/route/fix_up.ts";
import { assertEquals } from "../assert.ts";

const pairs = (...all: [from: string, to: string][]) => all.map(([from, to]) => ({ from, to: () => to }));

Deno.test("fixLocation() replaces the first beginning that fits, of Location and of Refresh", () => {
  const known = pairs(["http://a/b/", "/x/"], ["http://a/", "/"], ["/", "/p/"]);
  assertEquals(fixLocation("http://a/b/c?d#e", known), "/x/c?d#e");
  assertEquals(fixLocation("http://a/c", known), "/c");
  assertEquals(fixLocation("/c", known), "/p/c");
  assertEquals(fixLocation("https://other/", known), "https://other/");
  assertEquals(fixLocation("0;URL='http://a/c'", known), "0;URL='/c'");
  assertEquals(fixLocation("5", known), "5");
});

Deno.test("fixCookieDomain() and fixCookiePath() touch their attribute alone", () => {
  const domain = pairs([".Old.test", "new.test"]);
  assertEquals(
    fixCookieDomain("a=old.test; domain = old.TEST ;Path=/", domain),
    "a=old.test; domain =new.test;Path=/",
  );
  assertEquals(fixCookieDomain("a=b; Domain=sub.old.test", domain), "a=b; Domain=sub.old.test");
  assertEquals(fixCookieDomain("domain=old.test", domain), "domain=old.test");
  assertEquals(fixCookieDomain("a=b; Domain", domain), "a=b; Domain");
  const path = pairs(["/old/", "/new; Secure/"], ["/", "/app/"]);
  assertEquals(fixCookiePath("a=b; Path=/x; HttpOnly", path), "a=b; Path=/app/x; HttpOnly");
  // Nothing that a value brings becomes an attribute.
  assertEquals(fixCookiePath("a=b; Path=/old/x", path), "a=b; Path=/new Secure/x");
});
