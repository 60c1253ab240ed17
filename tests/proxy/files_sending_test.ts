/** Files on their way: every way in which bytes may go, clients that are slow or leave, files that change. */
import { HUGE_BYTES } from "../../mod/net/buffers.ts";
import { assert, assertEquals } from "../assert.ts";
import { filesRoute } from "../sim/files_route.ts";
import type { NetworkOptions } from "../sim/network.ts";
import { everyWay, type World } from "../sim/world.ts";
import { ask, latin1, pattern, withFiles } from "./files_world.ts";

Deno.test("files: a large file, whole and in ranges, to clients that read in any way", () => {
  const content = pattern(3 * HUGE_BYTES + 12_345);
  const text = latin1(content);
  everyWay((way) => {
    if (way.split === "bytes") return; // A million steps tell nothing more.
    for (const sendsFiles of [false, true]) check({ ...way, sendsFiles });
  }, 6);

  function check(way: NetworkOptions): void {
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
  }
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

Deno.test("files: what the kernel sends keeps nothing waiting, and a client that does not read is given up", () => {
  withFiles({}, (world) => {
    world.disk.write("/www/large", pattern(50 * HUGE_BYTES));
    const client = world.connect().get("/large");
    client.peer.stop();
    world.run(299_000);
    assert(client.peer.stream.mostQueued < 1000, String(client.peer.stream.mostQueued));
    assertEquals([world.sessions.size, world.disk.opened], [1, 1]);
    client.peer.sip(1000);
    world.run(299_000);
    assertEquals([world.sessions.size, world.disk.opened], [1, 1]);
    world.run(2000);
    assertEquals([world.sessions.size, world.disk.opened], [0, 0]);
    assertEquals(world.log.map(({ error }) => error), ["clientStalled"]);
    // What fitted on the way to the client, and what it read.
    assertEquals(world.log.map(({ bytesOut }) => bytesOut), [world.network.window + 1000]);
  }, { sendsFiles: true });
});

Deno.test("files: what the kernel cannot send is read, and popular files are kept only where it does not", () => {
  const content = pattern(4 * HUGE_BYTES);
  withFiles({}, (world) => {
    world.disk.write("/www/large", content);
    const { network, disk } = world;
    const readFile = network.readFile;
    ask(world, ["GET", "/large"], ["GET", "/large"]);
    assert(world.environment.files.bytes < HUGE_BYTES);
    for (const refusesAt of [0, HUGE_BYTES]) {
      network.readFile = (fd, at, most) => at >= refusesAt ? null : readFile(fd, at, most);
      assert(ask(world, ["GET", "/large"])[0]!.body === latin1(content));
    }
    assertEquals(disk.opened, 0);
  }, { sendsFiles: true });
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
      for (const sendsFiles of [false, true]) {
        withFiles({}, (world) => {
          world.disk.write("/www/large", new Uint8Array(4 * HUGE_BYTES));
          const client = world.connect();
          client.peer.breakReceiving(at, how);
          client.get("/large").get("/large");
          world.run(400_000);
          assertEquals(world.disk.opened, 0, `${how} at ${at}`);
        }, { sendsFiles });
      }
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
    for (const [when, sendsFiles] of [[1, false], [2, false], [3, false], [1, true], [3, true]] as const) {
      withFiles({}, (world) => {
        world.disk.write("/www/large", content);
        world.disk.onRead = (_path, at) => at >= when * HUGE_BYTES - 1000 && change(world);
        const client = world.connect().get("/large");
        world.settle();
        world.run(10_000);
        assertEquals([client.answers.length, client.ended], [0, true], name);
        const body = client.peer.text.slice(client.peer.text.indexOf("\r\n\r\n") + 4);
        assert(body.length < content.length, `${name}: incomplete`);
        // The kernel sends before it can be seen that the file is another.
        if (!sendsFiles) assert(latin1(content).startsWith(body), `${name}: only bytes of the file`);
        const error = name === "fails" ? "fileFailed" : "fileChanged";
        assertEquals(world.log.map((line) => [line.status, line.error]), [[200, error]]);
      }, { sendsFiles });
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
      client.get("/a.txt");
      world.run(20_000);
      assertEquals(client.statuses, [200, 200]);
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
