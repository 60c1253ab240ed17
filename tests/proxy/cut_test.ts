/**
 * A connection that breaks at every byte: whatever the place, the other side learns of it, nobody gets half an
 * answer for a whole one or another's answer, and nothing stays behind (`simulate` checks that).
 */
import { assert, assertEquals } from "../assert.ts";
import { echo, reply } from "../sim/parties.ts";
import { simulate, type World } from "../sim/world.ts";

const HOWS = ["end", "hangUp", "reset"] as const;
const UPLOAD = "POST /up HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n" +
  "5\r\nhello\r\n3\r\nyou\r\n0\r\nX-Sum: 8\r\n\r\n";
const FIXED = "PUT /fixed HTTP/1.1\r\nHost: a.test\r\nContent-Length: 11\r\n\r\nhello world";
const GET = "GET /get HTTP/1.1\r\nHost: a.test\r\n\r\n";

/** Answers that say whose they are: what goes to a client must name its own request. */
function answering(world: World, framing: "fixed" | "chunked" | "close"): void {
  for (const server of world.servers) {
    server.answer = ({ line }, connection) => {
      const body = `answer to ${line.split(" ")[1]}`;
      if (framing === "fixed") return connection.send(reply(200, body));
      if (framing === "close") {
        connection.send(`HTTP/1.1 200 OK\r\n\r\n${body}`);
        return connection.peer.end();
      }
      const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\nX-End: 1\r\n\r\n`;
      connection.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`);
    };
  }
}

Deno.test("ClientConnection survives a client that breaks off at any byte of its requests", () => {
  const script = UPLOAD + GET + FIXED;
  for (const how of HOWS) {
    for (const split of ["whole", "random"] as const) {
      for (let at = 0; at <= script.length; at++) {
        simulate({ seed: at, split, delayMs: split === "random" ? 5 : 0 }, (world) => {
          const other = world.connect();
          const client = world.connect();
          for (const method of ["POST", "GET", "PUT"]) client.reader.methods!.push(method);
          client.peer.breakSending(at, how);
          client.send(script);
          world.settle();
          other.get("/other");
          world.settle();
          assertEquals(other.answers.map(({ body }) => body.split(" ")[2]), ["/other"]);
          world.run(10_000);
          world.checkQuiet();
          assertEquals(world.sessions.size, 1, "only the other client is still there");
          // With a FIN, every request that came whole has its answer.
          if (how === "end") {
            const whole = [UPLOAD.length, (UPLOAD + GET).length, script.length].filter((end) => end <= at);
            assertEquals(client.statuses.filter((status) => status === 200).length, whole.length);
          }
        });
      }
    }
  }
});

Deno.test("Exchange survives a server that breaks off at any byte of its answer", () => {
  for (const framing of ["fixed", "chunked", "close"] as const) {
    for (const how of HOWS) {
      for (const split of ["whole", "bytes"] as const) {
        // Behind the longest answer the last rounds are without a break.
        for (let at = 0; at <= 140; at++) {
          simulate({ seed: at, split, servers: 1, pool: { retry: { attempts: 0 } } }, (world) => {
            answering(world, framing);
            const server = world.servers[0]!;
            server.onConnect = ({ peer }) => peer.breakSending(at, how);
            const client = world.connect().get("/mine");
            world.settle();
            world.run(1000);
            const [answer] = client.answers;
            if (answer === undefined) assert(client.ended, "no answer: the connection is closed");
            else if (client.statuses[0] === 200 && framing !== "close") {
              assertEquals(answer.body, "answer to /mine");
            } else if (client.statuses[0] !== 200) assertEquals(client.statuses, [502]);
            if (!client.ended) {
              server.onConnect = () => {};
              server.connections[0]!.peer.breakSending(Infinity, how);
              client.get("/next");
              world.settle();
              assertEquals(client.answers.at(-1)!.body.split(" ").at(-1), "/next");
            }
          });
        }
      }
    }
  }
});

Deno.test("Exchange survives a server that breaks off at any byte of the request", () => {
  const sent = { seen: 0 };
  for (const how of HOWS) {
    for (let at = 1; at <= 480; at++) {
      simulate({ seed: at, split: "random", servers: 1, pool: { retry: { attempts: 0 } } }, (world) => {
        const server = world.servers[0]!;
        server.onConnect = ({ peer }) => peer.breakReceiving(at, how);
        const client = world.connect();
        client.send(UPLOAD, "POST").send(FIXED, "PUT");
        world.settle();
        world.run(100_000);
        world.checkQuiet();
        sent.seen = Math.max(sent.seen, server.connections[0]!.peer.receivedBytes);
        assert(
          client.ended || client.answers.length === 2,
          "every request is answered, or the connection closed",
        );
        for (const status of client.statuses) assert([200, 502].includes(status), `status ${status}`);
      });
    }
  }
  assert(sent.seen > 400 && sent.seen < 480 * 3, `positions cover the exchange: ${sent.seen}`);
});

Deno.test("Exchange retries idempotent requests whose server breaks off without an answer", () => {
  for (const how of HOWS) {
    for (let at = 1; at <= 150; at++) {
      simulate({ seed: at, split: "random", delayMs: 3 }, (world) => {
        const [bad] = world.servers;
        bad!.onConnect = ({ peer }) => peer.breakReceiving(at, how);
        const client = world.connect().get("/1").get("/2").get("/3");
        world.settle();
        assertEquals(client.statuses, [200, 200, 200]);
      });
    }
  }
});

Deno.test("Pump survives either side breaking off at any byte, in both directions", () => {
  const up = "from the client to the server", down = "and from there back again";
  for (const how of HOWS) {
    for (const side of ["client", "server"] as const) {
      for (const direction of ["breakSending", "breakReceiving"] as const) {
        const breaksUp = (side === "client") === (direction === "breakSending");
        for (let at = 1; at <= (breaksUp ? up : down).length; at++) {
          simulate({ seed: at, split: "random", delayMs: 3, protocol: "tcp", servers: 1 }, (world) => {
            const server = world.servers[0]!;
            server.onBytes = () => true;
            server.onConnect = (connection) => {
              if (side === "server") connection.peer[direction](at, how);
              connection.send(down);
            };
            const client = world.connectPeer();
            if (side === "client") client[direction](at, how);
            client.send(up);
            world.settle();
            const peer = server.connections[0]?.peer;
            if (peer === undefined) {
              return assert(side === "client" && how === "reset", "nobody was connected");
            }
            if (how !== "end" && (side === "server" || direction === "breakSending")) {
              assert(client.gotEnd || peer.gotEnd, "the other side learns of it");
            }
            assert(up.startsWith(peer.text) && down.startsWith(client.text), "no byte is changed");
            if (how === "end" && side === "client" && direction === "breakSending") {
              assertEquals(peer.text, up.slice(0, at));
              assertEquals(client.text, down, "half-close travels on, the other way stays open");
            }
          });
        }
      }
    }
  }
});

Deno.test("simulate() finds what is left behind", () => {
  let message = "";
  try {
    simulate({ seed: 42 }, (world) => {
      world.servers[0]!.answer = echo;
      world.network.buffers.small();
    });
  } catch (error) {
    message = (error as Error).message;
  }
  assert(message.startsWith("seed 42, split whole") && message.includes("buffers are given back"), message);
});
