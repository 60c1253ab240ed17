import type { DirectoryEntry, Failure, FileStatus } from "../../mod/files/file_system.ts";
import { listingPage } from "../../mod/files/listing.ts";
import { mediaType } from "../../mod/files/media_type.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";

const file = (name: string) => ({ name, directory: false });

function page(path: string, entries: readonly DirectoryEntry[], hidden = false, look = missing): string {
  return listingPage({ path, above: path !== "/", entries, hidden, look });
}

function missing(): FileStatus | Failure {
  return "missing";
}

Deno.test("listingPage() directories first, hidden names not at all unless they are sent", () => {
  const entries = [file("b.txt"), file(".secret"), { name: "z", directory: true }, file("a.txt")];
  const names = (html: string) => [...html.matchAll(/href="([^"]*)"/g)].map((found) => found[1]);
  assertEquals(names(page("/", entries)), ["./z/", "./a.txt", "./b.txt"]);
  assertEquals(names(page("/sub/", entries, true)), [
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
  const html = page("/<b>/", names.map(file));
  assert(!/<script|<b>/.test(html), html);
  for (const [, href] of html.matchAll(/<a href="([^"]*)"/g)) {
    const url = new URL(href!, "http://a.test/dir/");
    assertEquals(url.origin, "http://a.test");
    assert(url.pathname.startsWith("/dir/") || href === "../", href);
    assertEquals([url.search, url.hash], ["", ""]);
  }
});

Deno.test("listingPage() is bounded", () => {
  let looks = 0;
  const look = () => {
    looks++;
    return missing();
  };
  const many = (count: number) => Array.from({ length: count }, (_, at) => file(`f${at}`));
  assertStringIncludes(page("/", many(10_007), false, look), "and 7 more");
  assertEquals(looks, 0);
  page("/", many(2000), false, look);
  assertEquals(looks, 2000);
});

Deno.test("listingPage() shows sizes and dates of files, dates of directories, nothing of links", () => {
  const statuses = new Map<string, FileStatus>([
    ["a", { kind: "file", size: 1234567, modified: Date.UTC(2026, 10, 26, 5, 43), identity: "" }],
    ["d", { kind: "directory", size: 4096, modified: 0, identity: "" }],
    ["l", { kind: "special", size: 7, modified: 0, identity: "" }],
  ]);
  const entries = [file("a"), { name: "d", directory: true }, file("l"), file("gone")];
  const html = page(
    "/x/",
    entries,
    false,
    ((name: string) => statuses.get(name) ?? "missing") as typeof missing,
  );
  const rows = [...html.matchAll(/<tr><td><a href="([^"]*)">.*?<\/a><\/td><td>(.*?)<\/td><td>(.*?)<\/td>/g)];
  assertEquals(rows.map(([, name, size, date]) => [name, size, date]), [
    ["../", "", ""],
    ["./d/", "", "1970-01-01 00:00"],
    ["./a", "1234567", "2026-11-26 05:43"],
    ["./gone", "", ""],
    ["./l", "", ""],
  ]);
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
