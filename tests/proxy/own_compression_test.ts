/** Files and answers of the configuration for clients that accept them compressed. */
import { Buffer } from "node:buffer";
import zlib from "node:zlib";
import type { CompressSnapshot, RouteSnapshot } from "../../mod/config/snapshot.ts";
import { COMPRESSED_FILE_BYTES } from "../../mod/files/store.ts";
import { assert, assertEquals } from "../assert.ts";
import { filesRoute } from "../sim/files_route.ts";
import type { Message } from "../sim/http_text.ts";
import { everyWay, simulate, type World, type WorldOptions } from "../sim/world.ts";
import { ask } from "./files_world.ts";

const COMPRESS: CompressSnapshot = {
  encodings: ["zstd", "br", "gzip"],
  types: ["text/plain", "text/css"],
  minSize: 100,
  levels: { gzip: 4, br: 4, zstd: 3 },
};
const GZIP = "Accept-Encoding: gzip\r\n";
const TEXT = Array.from({ length: 3000 }, (_, at) => `line ${at * at % 977}\n`).join("");

function withFiles(run: (world: World) => void, change = {}, options: WorldOptions = {}): void {
  simulate({ routes: [{ ...filesRoute(change), compress: COMPRESS }], ...options }, (world) => {
    world.disk.write("/www/a.txt", TEXT).write("/www/large.txt", TEXT.repeat(10))
      .write("/www/small.txt", "x").write("/www/a.png", TEXT);
    run(world);
  });
}

function told({ headers }: Message, ...names: string[]): (string | undefined)[] {
  return names.map((name) => headers.get(name));
}

function plain({ headers, body }: Message): string {
  const bytes = Buffer.from(body, "latin1");
  switch (headers.get("content-encoding")) {
    case "gzip":
      return zlib.gunzipSync(bytes).toString("latin1");
    case "br":
      return zlib.brotliDecompressSync(bytes).toString("latin1");
    case "zstd":
      return zlib.zstdDecompressSync(bytes).toString("latin1");
  }
  return body;
}

Deno.test("files: those of the chosen types are compressed, in what the client likes best, once", () => {
  everyWay((way) =>
    withFiles(
      (world) => {
        const encodings = ["gzip", "br", "zstd", "gzip", "identity"];
        for (const path of ["/a.txt", "/large.txt"]) {
          const requests = encodings.map((each) => ["GET", path, `Accept-Encoding: ${each}\r\n`] as const);
          const answers = ask(world, ...requests);
          assertEquals(answers.map((one) => one.headers.get("content-encoding")), [
            "gzip",
            "br",
            "zstd",
            "gzip",
            undefined,
          ]);
          const whole = path === "/a.txt" ? TEXT : TEXT.repeat(10);
          for (const one of answers) {
            assertEquals(plain(one), whole);
            assertEquals(one.headers.get("content-length"), `${one.body.length}`);
            assertEquals(one.headers.get("vary"), "Accept-Encoding");
          }
          const [first, , , again, identity] = answers;
          assertEquals(told(first!, "etag", "accept-ranges"), [
            `W/${identity!.headers.get("etag")}`,
            undefined,
          ]);
          assertEquals(again!.body, first!.body);
          assertEquals(identity!.headers.get("accept-ranges"), "bytes");
        }
        assertEquals(world.disk.calls.read, world.disk.calls.open, "no file is open any more");
      },
      {},
      way.split === "bytes" ? { ...way, split: "random" } : way,
    ), 3);
});

Deno.test("files: HEAD, 304 and ranges of what is compressed", () => {
  withFiles((world) => {
    const [get, head] = ask(world, ["GET", "/a.txt", GZIP], [
      "HEAD",
      "/a.txt",
      `${GZIP}Range: bytes=0-4\r\n`,
    ]);
    const fields = ["content-length", "content-encoding", "etag", "vary"];
    assertEquals([told(head!, ...fields), head!.body], [told(get!, ...fields), ""]);
    const weak = get!.headers.get("etag")!, strong = weak.slice(2);
    const [renewed, part, byTag, byDate, plainPart] = ask(
      world,
      ["GET", "/a.txt", `${GZIP}If-None-Match: ${weak}\r\n`],
      ["GET", "/a.txt", `${GZIP}Range: bytes=0-4\r\n`],
      ["GET", "/a.txt", `${GZIP}Range: bytes=0-4\r\nIf-Range: ${weak}\r\n`],
      ["GET", "/a.txt", `${GZIP}Range: bytes=0-4\r\nIf-Range: ${get!.headers.get("last-modified")}\r\n`],
      ["GET", "/a.txt", `${GZIP}Range: bytes=0-4\r\nIf-Range: ${strong}\r\n`],
    );
    assertEquals([renewed!.line, ...told(renewed!, "etag", "vary")], [
      "HTTP/1.1 304 Not Modified",
      weak,
      "Accept-Encoding",
    ]);
    for (const one of [part, plainPart]) {
      assertEquals([one!.body, ...told(one!, "content-encoding", "etag", "vary")], [
        "line ",
        undefined,
        strong,
        "Accept-Encoding",
      ]);
    }
    for (const one of [byTag, byDate]) {
      assertEquals(one!.line, "HTTP/1.1 200 OK");
      assertEquals([one!.headers.get("content-encoding"), plain(one!)], ["gzip", TEXT]);
    }
  });
});

Deno.test("files: what is small, large, of another type, precompressed or finished is left as it is", () => {
  withFiles((world) => {
    world.disk.write("/www/huge.txt", TEXT.repeat(Math.ceil(COMPRESSED_FILE_BYTES / TEXT.length) + 1));
    for (const path of ["/small.txt", "/a.png", "/huge.txt"]) {
      const [one] = ask(world, ["GET", path, GZIP]);
      assertEquals(told(one!, "content-encoding", "vary", "accept-ranges"), [undefined, undefined, "bytes"]);
    }
    const [forbidden] = ask(world, ["GET", "/a.txt", `${GZIP}Cache-Control: no-transform\r\n`]);
    assertEquals(told(forbidden!, "content-encoding", "vary"), [undefined, "Accept-Encoding"]);
  });
  withFiles((world) => {
    world.disk.write("/www/a.txt.gz", "precompressed");
    const [one, other] = ask(world, ["GET", "/a.txt", GZIP], ["GET", "/a.txt", "Accept-Encoding: br\r\n"]);
    assertEquals([one!.body, other!.headers.get("content-encoding")], ["precompressed", "br"]);
  }, { precompressed: ["gzip"] });
  withFiles((world) => {
    const [one] = ask(world, ["GET", "/a.txt", GZIP]);
    assertEquals(told(one!, "content-encoding", "vary"), [undefined, undefined]);
  }, { cacheControl: "max-age=60, no-transform" });
});

Deno.test("files: a changed file is compressed anew, and what cannot be made shorter is not tried again", () => {
  withFiles((world) => {
    ask(world, ["GET", "/a.txt", GZIP]);
    world.disk.write("/www/a.txt", `new ${TEXT}`, 1_000_000_100_000);
    world.run(2000);
    const [one] = ask(world, ["GET", "/a.txt", GZIP]);
    assertEquals(plain(one!), `new ${TEXT}`);
    const random = crypto.getRandomValues(new Uint8Array(5000));
    world.disk.write("/www/r.txt", random);
    const [noise] = ask(world, ["GET", "/r.txt", GZIP]);
    assertEquals([noise!.headers.get("content-encoding"), noise!.body.length], [undefined, 5000]);
  });
});

Deno.test("respond: bodies of the chosen types are compressed, with and without variables", () => {
  const match = { hosts: [], methods: [], headers: [], query: [] };
  const respond = (path: string, body: string, more = {}): RouteSnapshot => ({
    match: { ...match, path },
    action: { kind: "respond", status: 200, body, contentType: "text/plain; charset=utf-8", ...more },
    compress: COMPRESS,
  });
  const routes = [
    respond("/fixed", TEXT),
    respond("/filled", `$method ${TEXT}`, { filled: true }),
    respond("/short", "x"),
    respond("/error", TEXT, { status: 404 }),
  ];
  simulate({ routes }, (world) => {
    for (const [path, text] of [["/fixed", TEXT], ["/filled", `GET ${TEXT}`]] as const) {
      const [get, again, identity, head] = ask(
        world,
        ["GET", path, GZIP],
        ["GET", path, GZIP],
        ["GET", path],
        ["HEAD", path, GZIP],
      );
      assertEquals([plain(get!), again!.body, identity!.body], [text, get!.body, text]);
      assertEquals(told(get!, "content-encoding", "vary"), ["gzip", "Accept-Encoding"]);
      assertEquals(told(identity!, "content-encoding", "vary"), [undefined, "Accept-Encoding"]);
      assertEquals(told(head!, "content-encoding"), ["gzip"]);
    }
    for (const path of ["/short", "/error"]) {
      const [one] = ask(world, ["GET", path, GZIP]);
      assertEquals(told(one!, "content-encoding", "vary"), [undefined, undefined]);
    }
    assertEquals(world.compressing, 0);
  });
  assert(TEXT.length > 1000);
});
