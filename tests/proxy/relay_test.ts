/** Requests and answers arrive unchanged, whatever the framing and however the bytes are cut. */
import { assertEquals } from "../assert.ts";
import { reply } from "../sim/parties.ts";
import { everyWay, simulate } from "../sim/world.ts";

const BIG = Array.from({ length: 9000 }, (_, i) => String.fromCharCode(33 + i * 7 % 90)).join("");

function chunked(body: string, size: number, trailer = ""): string {
  let text = "";
  for (let at = 0; at < body.length; at += size) {
    const part = body.slice(at, at + size);
    text += `${part.length.toString(16)}\r\n${part}\r\n`;
  }
  return `${text}0\r\n${trailer}\r\n`;
}

Deno.test("Exchange relays request bodies of every size and framing", () => {
  const bodies = ["x", BIG.slice(0, 100), BIG];
  everyWay((way) =>
    simulate(way, (world) => {
      const client = world.connect();
      for (const body of bodies) client.request("POST", "/fixed", `Content-Length: ${body.length}\r\n`, body);
      for (const body of bodies) {
        client.request("PUT", "/chunked", "Transfer-Encoding: chunked\r\n", chunked(body, 1000));
      }
      client.request("POST", "/none", "Content-Length: 0\r\n");
      world.settle();
      assertEquals(client.statuses, [200, 200, 200, 200, 200, 200, 200]);
      const seen = world.servers.flatMap(({ seen }) => seen);
      assertEquals(seen.length, 7);
      for (const body of bodies) {
        assertEquals(seen.filter((request) => request.body === body).length, 2);
      }
      for (const [index, answer] of client.answers.entries()) {
        assertEquals(answer.body.split(" ")[3], [...bodies, ...bodies, ""][index]);
      }
    }), 8);
});

Deno.test("Exchange passes trailers on both ways, without those that may not stand there", () => {
  everyWay((way) =>
    simulate(way, (world) => {
      const trailer = "X-Sum: 1\r\nContent-Length: 5\r\n";
      for (const server of world.servers) {
        server.answer = (request, connection) => {
          const echoed = `${request.trailer}\r\n`;
          connection.send(
            `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunked("hello", 2, echoed)}`,
          );
        };
      }
      const client = world.connect();
      client.request("POST", "/", "Transfer-Encoding: chunked\r\n", chunked("abc", 1, trailer));
      world.settle();
      assertEquals(client.answers[0]!.body, "hello");
      assertEquals(client.answers[0]!.trailer, "X-Sum: 1");
      assertEquals(world.servers.flatMap(({ seen }) => seen)[0]!.trailer, "X-Sum: 1");
    }), 5);
});

Deno.test("Exchange relays answers of every framing to clients of both versions", () => {
  const framings: [name: string, text: string, closes: boolean][] = [
    ["fixed", `HTTP/1.1 200 OK\r\nContent-Length: ${BIG.length}\r\n\r\n${BIG}`, false],
    ["chunked", `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(BIG, 4000)}`, false],
    ["tiny chunks", `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(BIG, 3)}`, false],
    ["until close", `HTTP/1.1 200 OK\r\n\r\n${BIG}`, true],
    ["until close, 1.0", `HTTP/1.0 200 OK\r\n\r\n${BIG}`, true],
  ];
  for (const [name, text, closes] of framings) {
    everyWay((way) =>
      simulate(way, (world) => {
        for (const server of world.servers) {
          server.answer = (_, connection) => {
            connection.send(text);
            if (closes) connection.peer.end();
          };
        }
        const client = world.connect().get("/1").get("/2");
        const old = world.connect();
        old.send("GET / HTTP/1.0\r\n\r\n", "GET");
        world.settle();
        assertEquals(client.answers.map(({ body }) => body === BIG), [true, true], name);
        assertEquals(client.ended, false, "an answer of unknown length is chunked, and the connection stays");
        assertEquals(old.answers[0]!.body === BIG, true, name);
        assertEquals(old.answers[0]!.headers.has("transfer-encoding"), false, "RFC 9112 section 6.1");
        assertEquals(old.ended, true);
      }), 3);
  }
});

Deno.test("Exchange keeps answers without a body apart from what follows", () => {
  everyWay((way) =>
    simulate({ ...way, servers: 1 }, (world) => {
      world.servers[0]!.answer = ({ line }, connection) => {
        const path = line.split(" ")[1];
        if (path === "/head") connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        else if (path === "/headless") {
          connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        } else if (path === "/204") connection.send("HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n");
        else if (path === "/304") connection.send("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n");
        else connection.send(reply(200, "last"));
      };
      const client = world.connect().request("HEAD", "/head").request("HEAD", "/headless");
      client.get("/204").get("/304").get("/last");
      world.settle();
      assertEquals(client.statuses, [200, 200, 204, 304, 200]);
      assertEquals(client.answers.map(({ headers }) => headers.get("content-length")), [
        "1000",
        undefined,
        undefined,
        "7",
        "4",
      ]);
      assertEquals(client.answers[4]!.body, "last");
      assertEquals(world.servers[0]!.connections.length, 1, "all went over one connection");
    }), 5);
});

Deno.test("Exchange passes interim responses on, but not to HTTP/1.0", () => {
  everyWay((way) =>
    simulate(way, (world) => {
      for (const server of world.servers) {
        server.answer = (_, connection) => {
          connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n");
          connection.send(reply(200, "done"));
        };
      }
      const client = world.connect().get("/");
      const old = world.connect();
      old.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET");
      world.settle();
      assertEquals(client.answers[0]!.interim, [103, 102]);
      assertEquals(client.answers[0]!.body, "done");
      assertEquals(old.answers[0]!.interim, []);
      assertEquals(old.answers[0]!.headers.get("connection"), "keep-alive");
      assertEquals(old.ended, false);
    }), 5);
});

Deno.test("Exchange refuses a body that turns out to be malformed, also when that was held", () => {
  for (const slow of [false, true]) {
    everyWay((way) =>
      simulate({ ...way, servers: 1, window: 2000, highWater: 2000 }, (world) => {
        const server = world.servers[0]!;
        if (slow) server.onConnect = ({ peer }) => peer.stop();
        const client = world.connect();
        client.request(
          "POST",
          "/",
          "Transfer-Encoding: chunked\r\n",
          `${chunked(BIG, 4500).slice(0, -5)}zz\r\n`,
        );
        world.settle();
        server.connections[0]?.peer.go();
        world.settle();
        assertEquals(client.statuses, [400]);
        assertEquals(world.log[0]!.error, "badChunk");
      }), 5);
  }
});

Deno.test("Exchange carries 100-continue between client and server", () => {
  everyWay((way) =>
    simulate(way, (world) => {
      for (const server of world.servers) {
        server.onHead = (connection, line) => {
          if (line.includes("/wait")) connection.send("HTTP/1.1 100 Continue\r\n\r\n");
        };
      }
      const client = world.connect();
      client.reader.onHead = ({ line }) => {
        if (line.includes(" 100 ")) client.send("hello");
      };
      client.request("POST", "/wait", "Expect: 100-continue\r\nContent-Length: 5\r\n");
      world.settle();
      assertEquals(client.answers[0]!.interim, [100]);
      assertEquals(client.answers[0]!.body.includes("hello"), true);
      assertEquals(world.servers.flatMap(({ seen }) => seen)[0]!.headers.get("expect"), "100-continue");
    }), 5);
});

Deno.test("Exchange gives an early final answer and closes when the body is still on its way", () => {
  everyWay((way) =>
    simulate(way, (world) => {
      for (const server of world.servers) {
        server.onHead = (connection) => connection.send(reply(413, "too much"));
      }
      const client = world.connect();
      client.request("POST", "/", "Content-Length: 100000\r\n", BIG);
      world.settle();
      assertEquals(client.statuses, [413]);
      assertEquals(client.answers[0]!.headers.get("connection"), "close");
      client.send(BIG);
      world.run(3000);
      assertEquals(client.ended, true);
      assertEquals(
        world.servers.flatMap(({ open }) => open).length,
        0,
        "the half-fed connection is not reused",
      );
    }), 5);
});

Deno.test("Exchange answers pipelined requests in order", () => {
  everyWay((way) =>
    simulate({ ...way, servers: 3 }, (world) => {
      for (const [index, server] of world.servers.entries()) {
        server.answer = ({ line }, connection) => {
          world.network.schedule.in(20 * (3 - index), () => connection.send(reply(200, line)));
        };
      }
      const client = world.connect();
      const paths = Array.from({ length: 30 }, (_, i) => `/${i}`);
      client.peer.send("\r\n");
      for (const path of paths) {
        const upload = path.endsWith("5");
        if (!upload) client.get(path);
        else client.request("POST", path, `Content-Length: ${BIG.length}\r\n`, BIG);
      }
      world.settle();
      assertEquals(client.answers.map(({ body }) => body.split(" ")[1]), paths);
    }), 10);
});

Deno.test("ClientConnection keeps and closes connections as both sides ask", () => {
  everyWay((way) =>
    simulate({ ...way, servers: 1 }, (world) => {
      const closing = world.connect().get("/", "Connection: close\r\n");
      const keeping = world.connect().get("/");
      world.settle();
      assertEquals([closing.statuses, keeping.statuses], [[200], [200]]);
      assertEquals([closing.ended, keeping.ended], [true, false]);
      assertEquals(closing.answers[0]!.headers.get("connection"), "close");
      assertEquals(keeping.answers[0]!.headers.get("connection"), undefined);
      closing.peer.end();
      world.servers[0]!.answer = (_, connection) => {
        connection.send(reply(200, "bye", "Connection: close\r\n"));
        connection.peer.end();
      };
      keeping.get("/again").get("/again");
      world.settle();
      assertEquals(keeping.statuses, [200, 200, 200], "the server's close is its own affair");
      assertEquals(keeping.ended, false);
      assertEquals(world.idle.size, 0);
    }), 5);
});
