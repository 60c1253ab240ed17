import { listingPage } from "../../mod/files/listing.ts";
import { mediaType } from "../../mod/files/media_type.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";

const file = (name: string) => ({ name, directory: false });

Deno.test("listingPage() directories first, hidden names not at all unless they are sent", () => {
  const entries = [file("b.txt"), file(".secret"), { name: "z", directory: true }, file("a.txt")];
  const names = (page: string) => [...page.matchAll(/href="([^"]*)"/g)].map((found) => found[1]);
  assertEquals(names(listingPage("/", entries, false)), ["./z/", "./a.txt", "./b.txt"]);
  assertEquals(names(listingPage("/sub/", entries, true)), [
    "../",
    "./z/",
    "./.secret",
    "./a.txt",
    "./b.txt",
  ]);
});

Deno.test("listingPage() a name is text, never markup and never another address", () => {
  const names = [
    '"><script>alert(1)</script>',
    "javascript:alert(1)",
    "//evil.test",
    "a&b",
    "?q",
    "#f",
    "\ud800",
    "%2e",
  ];
  const page = listingPage("/<b>/", names.map(file), false);
  assert(!/<script|<b>/.test(page), page);
  for (const [, href] of page.matchAll(/<a href="([^"]*)"/g)) {
    const url = new URL(href!, "http://a.test/dir/");
    assertEquals(url.origin, "http://a.test");
    assert(url.pathname.startsWith("/dir/") || href === "../", href);
    assertEquals([url.search, url.hash], ["", ""]);
  }
});

Deno.test("listingPage() is bounded", () => {
  const page = listingPage("/", Array.from({ length: 10_007 }, (_, at) => file(`f${at}`)), false);
  assertStringIncludes(page, "and 7 more");
});

Deno.test("mediaType() by the ending, in any case; the configuration's own types go first", () => {
  const types = { txt: "text/x-own", foo: "application/foo" };
  assertEquals(mediaType("/a.html", {}), "text/html; charset=utf-8");
  assertEquals(mediaType("/a/b.JS", {}), "text/javascript; charset=utf-8");
  assertEquals(mediaType("/a.wasm", {}), "application/wasm");
  assertEquals(mediaType("/a.json", {}), "application/json");
  assertEquals(mediaType("/a.svg", {}), "image/svg+xml");
  assertEquals(mediaType("/a.woff2", {}), "font/woff2");
  assertEquals(mediaType("/a.txt", types), "text/x-own");
  assertEquals(mediaType("/a.foo", types), "application/foo");
  for (const name of ["/html", "/a.b/html", "/a.", "/a.nothing", "/a.constructor", "/a.__proto__"]) {
    assertEquals(mediaType(name, types), "application/octet-stream", name);
  }
});
