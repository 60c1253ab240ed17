/** Answers on their way through a compressor: every framing, every cut, clients and servers that break off. */
import { Buffer } from "node:buffer";
import zlib from "node:zlib";
import { LISTENER_COLUMN, SERVER_COLUMN } from "../../mod/base/counters.ts";
import type { CompressSnapshot, RouteSnapshot } from "../../mod/config/snapshot.ts";
import { assert, assertEquals } from "../assert.ts";
import type { Message } from "../sim/http_text.ts";
import { reply } from "../sim/parties.ts";
import { everyWay, simulate, type World, type WorldOptions } from "../sim/world.ts";

const POLICY: CompressSnapshot = {
  encodings: ["zstd", "br", "gzip"],
  types: ["text/plain", "text/event-stream"],
  minSize: 100,
  levels: { gzip: 4, br: 4, zstd: 3 },
};
const TEXT = Array.from({ length: 4000 }, (_, at) => `line ${at * at % 977}\n`).join("");
const TYPE = "Content-Type: text/plain\r\n";

function withCompression(
  run: (world: World) => void,
  options: WorldOptions = {},
  more: Partial<RouteSnapshot> = {},
): void {
  const route: RouteSnapshot = {
    ...more,
    match: { hosts: [], methods: [], headers: [], query: [] },
    action: { kind: "pool", pool: "app" },
    compress: POLICY,
  };
  simulate({ routes: [route], servers: 1, ...options }, run);
}

function chunked(body: string, size: number, trailer = ""): string {
  let text = "";
  for (let at = 0; at < body.length; at += size) {
    const part = body.slice(at, at + size);
    text += `${part.length.toString(16)}\r\n${part}\r\n`;
  }
  return `${text}0\r\n${trailer}\r\n`;
}

const READERS = {
  gzip: zlib.gunzipSync,
  br: zlib.brotliDecompressSync,
  zstd: zlib.zstdDecompressSync,
} as const;

function plain({ headers, body }: Message): string {
  const encoding = headers.get("content-encoding");
  if (encoding === undefined) return body;
  return READERS[encoding as keyof typeof READERS](Buffer.from(body, "latin1")).toString("latin1");
}

Deno.test("compress: bodies of every framing, in every encoding, however the bytes are cut", () => {
  everyWay((way) =>
    withCompression((world) => {
      const [server] = world.servers;
      server!.answer = (request, connection) => {
        const [method, path] = request.line.split(" ");
        if (path === "/length") {
          connection.send(reply(200, TEXT, `${TYPE}ETag: "a"\r\nAccept-Ranges: bytes\r\n`));
        } else if (path === "/head" && method === "HEAD") {
          connection.send(`HTTP/1.1 200 OK\r\n${TYPE}ETag: "a"\r\nContent-Length: ${TEXT.length}\r\n\r\n`);
        } else if (path === "/chunked") {
          connection.send(
            `HTTP/1.1 200 OK\r\n${TYPE}Transfer-Encoding: chunked\r\n\r\n${
              chunked(TEXT, 999, "X-Sum: 1\r\n")
            }`,
          );
        } else {
          connection.send(`HTTP/1.1 200 OK\r\n${TYPE}\r\n${TEXT}`);
          connection.peer.end();
        }
      };
      for (const encoding of ["gzip", "br", "zstd"] as const) {
        const client = world.connect();
        const accept = `Accept-Encoding: ${encoding}\r\n`;
        client.get("/length", accept).get("/chunked", accept).request("HEAD", "/head", accept).get(
          "/close",
          accept,
        )
          .get("/length");
        world.settle();
        assertEquals(client.statuses, [200, 200, 200, 200, 200]);
        const [length, chunks, head, close, asItIs] = client.answers as [
          Message,
          Message,
          Message,
          Message,
          Message,
        ];
        for (const answer of [length, chunks, close]) {
          assertEquals(answer.headers.get("content-encoding"), encoding);
          assert(plain(answer) === TEXT && answer.body.length < TEXT.length / 2);
        }
        for (const answer of [length, head]) {
          const shown = ["etag", "vary", "content-encoding", "content-length", "accept-ranges"];
          assertEquals(shown.map((name) => answer.headers.get(name)), [
            'W/"a"',
            "Accept-Encoding",
            encoding,
            undefined,
            undefined,
          ]);
        }
        assertEquals(chunks.trailer, "X-Sum: 1");
        assertEquals(["etag", "vary", "accept-ranges"].map((name) => asItIs.headers.get(name)), [
          '"a"',
          "Accept-Encoding",
          "bytes",
        ]);
        assert(asItIs.body === TEXT);
      }
    }, way), 4);
});

Deno.test("compress: HTTP/1.0 gets the body up to the end of the connection", () => {
  withCompression((world) => {
    world.servers[0]!.answer = (_request, connection) => connection.send(reply(200, TEXT, TYPE));
    const client = world.connect().send(
      "GET / HTTP/1.0\r\nAccept-Encoding: gzip\r\nConnection: keep-alive\r\n\r\n",
      "GET",
    );
    world.settle();
    const [answer] = client.answers;
    assertEquals([answer!.headers.get("transfer-encoding"), answer!.headers.get("connection")], [
      undefined,
      "close",
    ]);
    assert(plain(answer!) === TEXT && client.ended);
  });
});

Deno.test("compress: what a server has sent gets through when it pauses, and no later", () => {
  for (const encoding of ["gzip", "br", "zstd"]) {
    withCompression((world) => {
      const server = world.servers[0]!;
      server.answer = (_request, connection) =>
        connection.send(
          "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
        );
      const client = world.connect().get("/events", `Accept-Encoding: ${encoding}\r\n`);
      world.settle();
      const connection = server.connections[0]!;
      for (let event = 0; event < 20; event++) {
        const before = client.peer.receivedBytes;
        connection.send(chunked(`data: event ${event}\n\n`, 1000).replace("0\r\n\r\n", ""));
        world.run(6);
        assert(client.peer.receivedBytes > before, `event ${event} of ${encoding}`);
      }
      const before = client.peer.receivedBytes;
      world.run(1000);
      assertEquals(client.peer.receivedBytes, before, "nothing comes of a silent server");
      connection.send("0\r\n\r\n");
      world.settle();
      assert(plain(client.answers[0]!).endsWith("data: event 19\n\n"));
    });
  }
});

Deno.test("compress: a client that does not read stops the server, and keeps a bounded part of the answer", () => {
  withCompression((world) => {
    let state = 1;
    // What does not get smaller.
    const noise = Uint8Array.from({ length: 3_000_000 }, () => (state = state * 48271 % 2147483647) & 0xff);
    world.servers[0]!.answer = (_request, connection) => {
      connection.send(`HTTP/1.1 200 OK\r\n${TYPE}Content-Length: ${noise.length}\r\n\r\n`);
      connection.send(noise);
    };
    const client = world.connect();
    client.peer.keep = false;
    client.peer.stop();
    client.get("/", "Accept-Encoding: gzip\r\n");
    world.settle();
    assert(client.peer.stream.mostQueued < 300_000, String(client.peer.stream.mostQueued));
    assert(world.servers[0]!.connections[0]!.peer.available > 2_000_000);
    client.peer.go();
    world.settle();
    assertEquals(client.statuses, [200]);
  });
});

Deno.test("compress: whoever breaks off at whatever byte, compressors are closed and incomplete answers seen as such", () => {
  for (const how of ["end", "hangUp", "reset"] as const) {
    for (const at of [1, 100, 5000, 20_000, 40_000]) {
      for (const side of ["client", "server"] as const) {
        withCompression((world) => {
          const server = world.servers[0]!;
          server.answer = (_request, connection) => {
            if (side === "server") connection.peer.breakSending(at, how);
            connection.send(reply(200, TEXT, TYPE));
          };
          const client = world.connect();
          if (side === "client") client.peer.breakReceiving(at, how);
          client.get("/", "Accept-Encoding: gzip\r\n");
          world.run(400_000);
          assertEquals(world.compressing, 0);
          if (side === "client") return;
          assert(!client.statuses.includes(200) === at < TEXT.length, `${how} at ${at}`);
        }, { pool: { retry: { attempts: 0 } } });
      }
    }
  }
});

Deno.test("compress: answers are counted before and after, and those that there is no memory for", () => {
  withCompression((world) => {
    world.servers[0]!.answer = (_request, connection) => connection.send(reply(200, TEXT, TYPE));
    const count = (column: keyof typeof LISTENER_COLUMN) =>
      world.control.counters.listener(0, LISTENER_COLUMN[column]);
    const [answer] = world.connect().get("/", "Accept-Encoding: br\r\n").answers;
    assertEquals(answer, undefined);
    world.settle();
    assertEquals([count("compressed"), count("compressedFrom"), count("uncompressed")], [1, TEXT.length, 0]);
    assert(count("compressedTo") > 0 && count("compressedTo") < TEXT.length / 2);
    assert(count("bytesOut") < TEXT.length / 2);
    assert(world.control.counters.server(0, SERVER_COLUMN.bytesOut) > TEXT.length, "as the server sent it");
    const all = [];
    for (let one = world.compressors.open("gzip", 1); one !== null; one = world.compressors.open("gzip", 1)) {
      all.push(one);
    }
    const client = world.connect().get("/", "Accept-Encoding: br\r\n");
    world.settle();
    assert(client.answers[0]!.body === TEXT);
    assertEquals(client.answers[0]!.headers.get("vary"), "Accept-Encoding");
    assertEquals([count("compressed"), count("uncompressed")], [1, 1]);
    for (const one of all) world.compressors.close(one);
  });
});

Deno.test("compress: the client's Accept-Encoding travels on, and what the server encoded is left alone", () => {
  withCompression((world) => {
    const server = world.servers[0]!;
    const body = zlib.gzipSync(TEXT).toString("latin1");
    server.answer = (_request, connection) =>
      connection.send(reply(200, body, `${TYPE}Content-Encoding: gzip\r\nETag: "z"\r\n`));
    const client = world.connect().get("/", "Accept-Encoding: br, gzip\r\n");
    world.settle();
    assertEquals(server.seen[0]!.headers.get("accept-encoding"), "br, gzip");
    const [answer] = client.answers;
    assertEquals(["content-encoding", "etag", "vary"].map((name) => answer!.headers.get(name)), [
      "gzip",
      '"z"',
      undefined,
    ]);
    assert(plain(answer!) === TEXT);
  });
});

Deno.test("compress: goes together with rules for headers, on both sides", () => {
  const none = { remove: [], replace: [], set: [], add: [] };
  const headers = {
    request: { ...none, remove: ["accept-encoding"] },
    response: {
      ...none,
      remove: ["etag"],
      set: [["Vary", "Cookie"]] as const,
      location: [],
      cookieDomain: [],
      cookiePath: [],
    },
  };
  withCompression(
    (world) => {
      const server = world.servers[0]!;
      server.answer = (_request, connection) =>
        connection.send(reply(200, TEXT, `${TYPE}ETag: "a"\r\nVary: X-A\r\n`));
      const client = world.connect().get("/", "Accept-Encoding: gzip\r\n");
      world.settle();
      assertEquals(server.seen[0]!.headers.get("accept-encoding"), undefined);
      const [answer] = client.answers;
      assertEquals(
        ["content-encoding", "etag", "vary"].map((name) => answer!.headers.get(name)),
        ["gzip", undefined, "Cookie, Accept-Encoding"],
      );
      assert(plain(answer!) === TEXT);
    },
    {},
    { headers },
  );
});
