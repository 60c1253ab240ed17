/** Answers with files, whole sessions in the simulator: every way in which bytes may go, and every way to fail. */
import type { FilesAction } from "../../mod/config/snapshot.ts";
import { LISTENER_COLUMN } from "../../mod/base/counters.ts";
import { HUGE_BYTES } from "../../mod/net/buffers.ts";
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { filesRoute } from "../sim/files_route.ts";
import type { Message } from "../sim/http_text.ts";
import { everyWay, simulate, type World, type WorldOptions } from "../sim/world.ts";

const DATE = "Sun, 09 Sep 2001 01:46:40 GMT";

function withFiles(
  change: Partial<FilesAction>,
  run: (world: World) => void,
  options: WorldOptions = {},
): void {
  simulate({ routes: [filesRoute(change)], ...options }, (world) => {
    // The simulator's day begins in 1970; files are of 2001.
    world.disk.write("/www/index.html", "<h1>hello</h1>\n").write("/www/a.txt", "0123456789")
      .write("/www/docs/index.html", "docs").directory("/www/empty");
    run(world);
  });
}

/** The answers to some requests on one connection. */
function ask(
  world: World,
  ...requests: readonly (readonly [method: string, path: string, more?: string])[]
): readonly Message[] {
  const client = world.connect();
  for (const [method, path, more] of requests) client.request(method, path, more);
  world.settle();
  assertEquals(client.answers.length, requests.length);
  return client.answers;
}

/** Bytes that tell where they are from. */
function pattern(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => 32 + (at * 7 + (at >> 8)) % 90);
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

Deno.test("files: a small file, and nothing but its head for HEAD", () => {
  withFiles({ cacheControl: "max-age=60" }, (world) => {
    const [get, head] = ask(world, ["GET", "/a.txt"], ["HEAD", "/a.txt"]);
    assertEquals(get!.line, "HTTP/1.1 200 OK");
    assertEquals(Object.fromEntries(get!.headers), {
      date: "Thu, 01 Jan 1970 00:00:00 GMT",
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
    assert(!page!.body.includes("hidden"));
    assertEquals(redirect!.headers.get("location"), "/empty/");
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
      date: "Thu, 01 Jan 1970 00:00:00 GMT",
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

Deno.test("files: a large file, whole and in ranges, to clients that read in any way", () => {
  const content = pattern(3 * HUGE_BYTES + 12_345);
  const text = latin1(content);
  everyWay((way) => {
    if (way.split === "bytes") return; // A million steps tell nothing more.
    withFiles({}, (world) => {
      world.disk.write("/www/large", content);
      const edges = `bytes=0-0,${HUGE_BYTES - 1}-${HUGE_BYTES},300000-699999,-5`;
      const [whole, one, several] = ask(world, ["GET", "/large"], [
        "GET",
        "/large",
        "Range: bytes=100000-\r\n",
      ], [
        "GET",
        "/large",
        `Range: ${edges}\r\n`,
      ]);
      assert(whole!.body === text, "whole");
      assert(one!.body === text.slice(100_000), "one");
      const bodies = [...several!.body.matchAll(/Content-Range: bytes (\d+)-(\d+)\/\d+\r\n\r\n/g)];
      assertEquals(bodies.length, 4);
      for (const found of bodies) {
        const start = found.index + found[0].length;
        const [from, to] = [Number(found[1]), Number(found[2]) + 1];
        assert(several!.body.slice(start, start + to - from) === text.slice(from, to), found[0]);
      }
    }, way);
  }, 6);
});

Deno.test("files: a client that does not read keeps one piece waiting, and is given up in time", () => {
  withFiles({}, (world) => {
    world.disk.write("/www/large", new Uint8Array(50 * HUGE_BYTES));
    const client = world.connect().get("/large");
    client.peer.stop();
    world.settle();
    assert(client.peer.stream.mostQueued <= 2 * HUGE_BYTES, String(client.peer.stream.mostQueued));
    assertEquals(world.disk.opened, 1);
    // The kernels took a part of it meanwhile, so that the first time-out finds that it went on.
    world.run(599_000);
    assertEquals(world.sessions.size, 1);
    world.run(2000);
    assertEquals([world.sessions.size, world.disk.opened], [0, 0]);
    assertEquals(world.log.map(({ error }) => error), ["clientStalled"]);
  });
});

Deno.test("files: a client that reads slowly but reads gets all of it, from disk and from memory", () => {
  withFiles({}, (world) => {
    const content = pattern(3 * HUGE_BYTES);
    world.disk.write("/www/large", content);
    for (const from of ["disk", "memory"]) {
      // Asked for again within a second it is kept.
      if (from === "memory") ask(world, ["GET", "/large"], ["GET", "/large"]);
      const client = world.connect().get("/large");
      client.peer.stop();
      for (let at = 0; at < 100; at++) {
        world.run(250_000);
        client.peer.sip(10_000);
      }
      assertEquals(client.answers.length, 1, from);
      assert(client.answers[0]!.body === latin1(content));
    }
  });
});

Deno.test("files: a popular file is sent out of memory, whatever becomes of it meanwhile", () => {
  withFiles({}, (world) => {
    const content = pattern(9 * HUGE_BYTES);
    world.disk.write("/www/large", content);
    ask(world, ["GET", "/large"], ["GET", "/large"]);
    const { read } = world.disk.calls;
    const client = world.connect();
    client.peer.stop();
    client.get("/large").get("/large", "Range: bytes=100000-1999999\r\n").get(
      "/large",
      "Range: bytes=5-9\r\n",
    );
    world.settle();
    world.disk.remove("/www/large");
    client.peer.go();
    world.settle();
    const text = latin1(content);
    assert(client.answers[0]!.body === text && client.answers[1]!.body === text.slice(100_000, 2_000_000));
    assertEquals(client.answers[2]!.body, text.slice(5, 10));
    assertEquals(world.disk.calls.read, read);
  });
});

Deno.test("files: what is sent out of memory counts until it is sent, and once", () => {
  withFiles({}, (world) => {
    const MEGABYTE = 1024 * 1024;
    for (let at = 0; at < 6; at++) world.disk.write(`/www/${at}`, new Uint8Array(10 * MEGABYTE));
    const { files } = world.environment;
    ask(world, ["GET", "/0", "Range: bytes=0-1\r\n"]);
    const client = world.connect();
    client.peer.keep = false;
    client.peer.stop();
    client.peer.handler = {};
    client.peer.send("GET /0 HTTP/1.1\r\nHost: a.test\r\n\r\n");
    world.settle();
    for (let round = 0; round < 2; round++) {
      for (let at = 1; at < 6; at++) {
        const range = ["GET", `/${at}`, "Range: bytes=0-1\r\n"] as const;
        ask(world, range, range);
        assert(files.bytes >= 10 * MEGABYTE && files.bytes <= 32 * MEGABYTE, String(files.bytes));
      }
      // In the second round its file is no longer remembered, and it is in the middle of it.
      for (let sips = 0; sips < 50; sips++) {
        client.peer.sip(64 * 1024);
        world.settle();
      }
    }
    client.peer.go();
    world.settle();
    assert(client.peer.receivedBytes > 10 * MEGABYTE);
    const after = files.bytes;
    assert(after > 0 && after <= 32 * MEGABYTE, String(after));
    for (let at = 1; at < 6; at++) files.forget("/www", `/${at}`);
    assert(files.bytes >= 0 && files.bytes < MEGABYTE, String(files.bytes));
  });
});

Deno.test("files: a client that leaves at any byte leaves nothing open", () => {
  for (const how of ["end", "hangUp", "reset"] as const) {
    for (const at of [1, 200, 300, HUGE_BYTES - 1, HUGE_BYTES, HUGE_BYTES + 400, 2 * HUGE_BYTES]) {
      withFiles({}, (world) => {
        world.disk.write("/www/large", new Uint8Array(4 * HUGE_BYTES));
        const client = world.connect();
        client.peer.breakReceiving(at, how);
        client.get("/large").get("/large");
        world.run(400_000);
        assertEquals(world.disk.opened, 0, `${how} at ${at}`);
      });
    }
  }
});

Deno.test("files: a file that shrinks, grows or changes while it is sent breaks the answer off", () => {
  const content = pattern(4 * HUGE_BYTES);
  const changes: Record<string, (world: World) => void> = {
    shrinks: ({ disk }) => disk.change("/www/large", content.subarray(0, HUGE_BYTES + 5), 2),
    "is emptied": ({ disk }) => disk.change("/www/large", new Uint8Array(0), 1_000_000_000_000),
    grows: ({ disk }) => disk.change("/www/large", pattern(5 * HUGE_BYTES), 1_000_000_000_000),
    "is rewritten": ({ disk }) =>
      disk.change("/www/large", new Uint8Array(4 * HUGE_BYTES), 1_000_000_000_001),
    fails: ({ disk }) => disk.failing = true,
  };
  for (const [name, change] of Object.entries(changes)) {
    for (const when of [1, 2, 3]) {
      withFiles({}, (world) => {
        world.disk.write("/www/large", content);
        world.disk.onRead = (_path, at) => at >= when * HUGE_BYTES - 1000 && change(world);
        const client = world.connect().get("/large");
        world.settle();
        world.run(10_000);
        assertEquals([client.answers.length, client.ended], [0, true], name);
        const body = client.peer.text.slice(client.peer.text.indexOf("\r\n\r\n") + 4);
        assert(
          latin1(content).startsWith(body) && body.length < content.length,
          `${name}: only bytes of the file`,
        );
        const error = name === "fails" ? "fileFailed" : "fileChanged";
        assertEquals(world.log.map((line) => [line.status, line.error]), [[200, error]]);
      });
    }
  }
});

Deno.test("files: a file that is replaced by another while it is sent is sent to its end", () => {
  const content = pattern(2 * HUGE_BYTES);
  withFiles({}, (world) => {
    world.disk.write("/www/large", content);
    world.disk.onRead = (_path, at) => at > 0 && world.disk.write("/www/large", "another");
    const [answer] = ask(world, ["GET", "/large"]);
    assert(answer!.body === latin1(content));
    world.disk.onRead = () => {};
    world.run(1000);
    assertEquals(ask(world, ["GET", "/large"])[0]!.body, "another");
  });
});

Deno.test("files: no request fails while a new version is put in place, by renaming or by another root", () => {
  withFiles({}, (world) => {
    world.disk.write("/www/large", pattern(2 * HUGE_BYTES));
    assertEquals(ask(world, ["GET", "/large"])[0]!.body.length, 2 * HUGE_BYTES);
    world.disk.write("/www/large", pattern(HUGE_BYTES));
    assertEquals(ask(world, ["GET", "/large"])[0]!.body.length, HUGE_BYTES);
  });
  withFiles({ root: "/current" }, (world) => {
    world.disk.write("/r1/large", pattern(2 * HUGE_BYTES)).link("/current", "/r1");
    assertEquals(ask(world, ["GET", "/large"])[0]!.body.length, 2 * HUGE_BYTES);
    world.disk.write("/r2/large", pattern(HUGE_BYTES)).link("/current", "/r2").remove("/r1/large");
    assertEquals(ask(world, ["GET", "/large"])[0]!.body.length, HUGE_BYTES);
  });
});

Deno.test("files: requests in a row on one connection, kept or closed as the client wants it", () => {
  withFiles({}, (world) => {
    world.disk.write("/www/large", pattern(2 * HUGE_BYTES));
    const client = world.connect().get("/large").get("/a.txt").get("/nothing").get("/large")
      .get("/a.txt", "Connection: close\r\n");
    world.run(20_000);
    assertEquals(client.statuses, [200, 200, 404, 200, 200]);
    assertEquals(client.answers.map(({ headers }) => headers.get("connection")), [
      undefined,
      undefined,
      undefined,
      undefined,
      "close",
    ]);
    assertEquals(client.ended, true);
  });
});

Deno.test("files: a body that comes with a GET is not taken for the next request", () => {
  everyWay((way) => {
    withFiles({}, (world) => {
      world.disk.write("/www/large", pattern(2 * HUGE_BYTES));
      const body = "GET /a.txt HTTP/1.1\r\nHost: a.test\r\n\r\n";
      const client = world.connect().request("GET", "/large", `Content-Length: ${body.length}\r\n`, body);
      world.run(20_000);
      assertEquals(client.statuses, [200]);
      assertEquals(client.answers[0]!.headers.get("connection"), "close");
    }, way.split === "bytes" ? { ...way, split: "random" } : way);
  }, 5);
});

Deno.test("files: HTTP/1.0 gets the file and the end of the connection", () => {
  withFiles({}, (world) => {
    const client = world.connect().send("GET /a.txt HTTP/1.0\r\n\r\n", "GET");
    world.run(20_000);
    assertEquals([client.answers[0]!.body, client.ended], ["0123456789", true]);
  });
});

Deno.test("files: a reload during an answer changes the next one only", () => {
  withFiles({}, (world) => {
    world.disk.write("/www/large", pattern(2 * HUGE_BYTES)).write("/other/a.txt", "other");
    const client = world.connect();
    client.peer.stop();
    client.get("/large");
    world.settle();
    world.reload((snapshot) => ({
      ...snapshot,
      listeners: snapshot.listeners.map((each) => ({ ...each, routes: [filesRoute({ root: "/other" })] })),
    }));
    client.peer.go();
    client.get("/a.txt");
    world.settle();
    assertEquals(client.answers.map(({ body }) => body.length), [2 * HUGE_BYTES, 5]);
  });
});
