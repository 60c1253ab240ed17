/** Answers with files: which file, under which head, to which conditions. */
import { LISTENER_COLUMN } from "../../mod/base/counters.ts";
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { ask, withFiles } from "./files_world.ts";

const DATE = "Sun, 09 Sep 2001 01:46:40 GMT";

Deno.test("files: a small file, and nothing but its head for HEAD", () => {
  withFiles({ cacheControl: "max-age=60" }, (world) => {
    const [get, head] = ask(world, ["GET", "/a.txt"], ["HEAD", "/a.txt"]);
    assertEquals(get!.line, "HTTP/1.1 200 OK");
    assertEquals(Object.fromEntries(get!.headers), {
      date: "Thu, 01 Jan 1970 00:16:40 GMT",
      "content-type": "text/plain; charset=utf-8",
      "content-length": "10",
      "last-modified": DATE,
      etag: '"e8d4a51000-a"',
      "accept-ranges": "bytes",
      "cache-control": "max-age=60",
    });
    assertEquals([get!.body, head!.body], ["0123456789", ""]);
    assertEquals([...head!.headers], [...get!.headers]);
    assertEquals(world.log.map(({ status, error, server }) => [status, error, server]), [[200, "", ""], [
      200,
      "",
      "",
    ]]);
    assertEquals(world.memory.counters.listener(0, LISTENER_COLUMN.responses2xx), 2);
  });
});

Deno.test("files: only GET and HEAD, and the connection goes on", () => {
  withFiles({}, (world) => {
    const answers = ask(world, ["POST", "/a.txt", "Content-Length: 0\r\n"], ["DELETE", "/x"], [
      "OPTIONS",
      "/",
    ], [
      "GET",
      "/a.txt",
    ]);
    assertEquals(answers.map(({ line }) => line.slice(9, 12)), ["405", "405", "405", "200"]);
    assertEquals(answers[0]!.headers.get("allow"), "GET, HEAD");
  });
});

Deno.test("files: a directory is its index file, behind a slash", () => {
  withFiles({ stripPrefix: "/static" }, (world) => {
    const answers = ask(
      world,
      ["GET", "/static/"],
      ["GET", "/static"],
      ["GET", "/static/docs?a=b"],
      ["GET", "/static/docs/"],
      ["GET", "/static/empty/"],
      ["GET", "/static/empty"],
      ["GET", "/static/a.txt/"],
    );
    assertEquals(
      answers.map(({ line, headers }) => `${line.slice(9, 12)} ${headers.get("location") ?? ""}`.trim()),
      [
        "200",
        "301 /static/",
        "301 /static/docs/?a=b",
        "200",
        "403",
        "403",
        "404",
      ],
    );
    assertEquals(answers[3]!.body, "docs");
  });
});

Deno.test("files: no redirect leads to another host", () => {
  withFiles({}, (world) => {
    world.disk.write("/www/evil.test/index.html", "x").write("/www/\\evil.test/index.html", "x");
    const paths = [
      "//evil.test",
      "/.//evil.test",
      "/x/..//evil.test",
      "/\\evil.test",
      "/%5cevil.test",
      "/%2fevil.test",
    ];
    const answers = ask(world, ...paths.map((path) => ["GET", path] as const));
    const locations = answers.map(({ headers }) => headers.get("location") ?? "");
    assertEquals(locations, ["", "", "", "/%5Cevil.test/", "/%5Cevil.test/", ""]);
  });
});

Deno.test("files: tryFiles, one candidate after the other", () => {
  withFiles({ tryFiles: ["$path", "$path.html", "/index.html"] }, (world) => {
    world.disk.write("/www/about.html", "about");
    const answers = ask(world, ["GET", "/about"], ["GET", "/about/"], ["GET", "/some/app/route"], [
      "GET",
      "/empty/",
    ]);
    assertEquals(answers.map(({ body }) => body), ["about", "about", "<h1>hello</h1>\n", "<h1>hello</h1>\n"]);
  });
});

Deno.test("files: a listing only where it is wanted", () => {
  withFiles({ listing: true }, (world) => {
    world.disk.write("/www/empty/<b>.txt", "").write("/www/empty/.hidden", "");
    const [page, redirect] = ask(world, ["GET", "/empty/"], ["GET", "/empty"]);
    assertEquals(page!.headers.get("content-type"), "text/html; charset=utf-8");
    assertMatch(page!.body, /<a href="\.\/%3Cb%3E\.txt">&#60;b&#62;\.txt<\/a>/);
    assertMatch(page!.body, /<td>0<\/td><td>2001-09-09 01:46<\/td>/);
    assert(!page!.body.includes("hidden"));
    assertEquals(redirect!.headers.get("location"), "/empty/");
  });
});

Deno.test("files: a listing is called as it was asked for", () => {
  withFiles({ listing: true, stripPrefix: "/d%C3%A9" }, (world) => {
    world.disk.remove("/www/index.html");
    const [root, below] = ask(world, ["GET", "/d%C3%A9/"], ["GET", "/d%c3%a9/empty/"]);
    assertMatch(root!.body, /<title>\/d\xc3\xa9\/<\/title>/);
    assert(!root!.body.includes("../"), "above it are no files");
    assertMatch(below!.body, /<h1>\/d\xc3\xa9\/empty\/<\/h1>/);
    assertMatch(below!.body, /href="\.\.\/"/);
  });
});

Deno.test("files: what is not to be sent is not there", () => {
  withFiles({}, (world) => {
    world.disk.write("/www/.git/config", "x").write("/etc/passwd", "x").link("/www/out", "/etc/passwd")
      .special("/www/fifo").write("/www/no.txt", "x").deny("/www/no.txt");
    const paths = [
      "/.git/config",
      "/out",
      "/../etc/passwd",
      "/..%2fetc/passwd",
      "/fifo",
      "/a.txt%00.html",
      "/no.txt",
    ];
    const answers = ask(world, ...paths.map((path) => ["GET", path] as const));
    assertEquals(answers.map(({ line }) => line.slice(9, 12)), [...Array(6).fill("404"), "403"]);
  });
});

Deno.test("files: conditional requests", () => {
  withFiles({ precompressed: ["gzip"] }, (world) => {
    const tag = '"e8d4a51000-a"';
    const answers = ask(
      world,
      ["GET", "/a.txt", `If-None-Match: ${tag}\r\n`],
      ["GET", "/a.txt", `If-Modified-Since: ${DATE}\r\n`],
      ["GET", "/a.txt", 'If-Match: "x"\r\n'],
      ["GET", "/a.txt", `If-Match: ${tag}\r\n`],
      ["HEAD", "/a.txt", `If-None-Match: ${tag}\r\n`],
    );
    assertEquals(answers.map(({ line }) => line.slice(9, 12)), ["304", "304", "412", "200", "304"]);
    assertEquals(Object.fromEntries(answers[0]!.headers), {
      date: "Thu, 01 Jan 1970 00:16:40 GMT",
      "last-modified": DATE,
      etag: tag,
      vary: "Accept-Encoding",
    });
  });
});

Deno.test("files: one range, several, none that is there, and ranges of another version", () => {
  withFiles({}, (world) => {
    const range = (value: string, more = "") => ["GET", "/a.txt", `Range: ${value}\r\n${more}`] as const;
    const answers = ask(
      world,
      range("bytes=2-4"),
      range("bytes=-1"),
      range("bytes=10-"),
      range("bytes=0-1,8-"),
      range("bytes=2-4", 'If-Range: "e8d4a51000-a"\r\n'),
      range("bytes=2-4", 'If-Range: "other"\r\n'),
      ["HEAD", "/a.txt", "Range: bytes=2-4\r\n"],
    );
    assertEquals(answers.map(({ line }) => line.slice(9, 12)), [
      "206",
      "206",
      "416",
      "206",
      "206",
      "200",
      "200",
    ]);
    assertEquals(answers.map(({ headers }) => headers.get("content-range")), [
      "bytes 2-4/10",
      "bytes 9-9/10",
      "bytes */10",
      undefined,
      "bytes 2-4/10",
      undefined,
      undefined,
    ]);
    assertEquals(answers.slice(0, 2).map(({ body }) => body), ["234", "9"]);
    const [, boundary] = /^multipart\/byteranges; boundary=([\w-]+)$/.exec(
      answers[3]!.headers.get("content-type")!,
    )!;
    const part = (range: string, body: string) =>
      `--${boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes ${range}/10\r\n\r\n${body}\r\n`;
    assertEquals(answers[3]!.body, `${part("0-1", "01")}${part("8-9", "89")}--${boundary}--\r\n`);
  });
});

Deno.test("files: the precompressed neighbour that the client takes, with a tag of its own", () => {
  withFiles({ precompressed: ["br", "gzip"] }, (world) => {
    world.disk.write("/www/a.txt.gz", "GZ").write("/www/a.txt.br", "BR").write("/www/b.txt.gz", "alone");
    const accept = (value: string, path = "/a.txt") =>
      ["GET", path, `Accept-Encoding: ${value}\r\n`] as const;
    const answers = ask(
      world,
      accept("gzip, br"),
      accept("gzip"),
      accept("br;q=0, *"),
      accept("identity"),
      [
        "GET",
        "/a.txt",
      ],
      accept("gzip", "/b.txt"),
      accept("gzip", "/index.html"),
    );
    assertEquals(answers.map(({ body }) => body).slice(0, 5), ["BR", "GZ", "GZ", "0123456789", "0123456789"]);
    assertEquals(answers.map(({ headers }) => headers.get("content-encoding")), [
      "br",
      "gzip",
      "gzip",
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    assertEquals(answers[0]!.headers.get("content-type"), "text/plain; charset=utf-8");
    assertEquals([0, 1, 3].map((at) => answers[at]!.headers.get("etag")), [
      '"e8d4a51000-2-br"',
      '"e8d4a51000-2-gzip"',
      '"e8d4a51000-a"',
    ]);
    assertEquals([0, 3, 6].map((at) => answers[at]!.headers.get("vary")), Array(3).fill("Accept-Encoding"));
    assertEquals(answers[5]!.line, "HTTP/1.1 404 Not Found");
  });
});
