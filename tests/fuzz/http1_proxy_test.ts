// Invariant: whatever a client or a server sends, the other side reads plain HTTP/1.1, and nobody gets another's answer.
import { latin1 } from "../../mod/http/grammar.ts";
import { assertEquals } from "../assert.ts";
import { statusOf, takeMessage } from "../conformance/http_text.ts";
import { RawSocket } from "../conformance/raw_socket.ts";
import { RecordingServer } from "../conformance/recording_server.ts";
import { type RunningSubject, startTandem } from "../conformance/subject.ts";
import { fuzzAsync } from "./mutation.ts";

const REQUESTS = [
  "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
  "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
  "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
  "HEAD /1 HTTP/1.1\r\nHost: a\r\n\r\nGET http://a/2?b HTTP/1.0\r\nHost: a\r\nConnection: keep-alive, x-a\r\nX-A: 1\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nHost:a\r\nX_Y:\t \xff \t\r\nTE: trailers\r\nContent_Length: 7\r\n\r\nGET / HTTP/1.1\r\n",
];
const ANSWERS = [
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
  "HTTP/1.0 404\r\nServer: a\r\nConnection: keep-alive\r\n\r\nuntil close",
  "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\nConnection: close, x\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
];

/** Runs `body` with a server and a data plane before it, and checks that nothing went wrong inside. */
async function withTandem(
  body: (tandem: RunningSubject, server: RecordingServer) => Promise<void>,
): Promise<void> {
  const server = new RecordingServer();
  const tandem = await startTandem(server.port);
  try {
    await body(tandem, server);
    assertEquals(tandem.errors, []);
  } finally {
    await tandem.close();
    await server.close();
  }
}

/** Sends a text, in two pieces when cut, and FIN, and answers all that came back. */
async function exchange(tandem: RunningSubject, text: string, finish: boolean, cut = 0): Promise<string> {
  const client = await RawSocket.connect(tandem.address);
  try {
    if (cut > 0) {
      await client.send(text.slice(0, cut));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await client.send(text.slice(cut));
    if (finish) await client.finish();
    await client.until(() => client.ended);
    assertEquals(client.ended, true, "the connection hangs");
    return client.received;
  } finally {
    await client.close();
  }
}

async function probe(tandem: RunningSubject, seed: number): Promise<void> {
  const path = `/probe-${seed}`;
  const text = await exchange(tandem, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`, false);
  const taken = takeMessage(text, { kind: "response", ended: true });
  assertEquals([taken?.message.body, taken?.rest], [path, ""]);
}

Deno.test("Dataplane hands on only plain requests, whatever clients send", async () => {
  await withTandem(async (tandem, server) => {
    await fuzzAsync(REQUESTS, async (message, seed) => {
      server.begin({ reply: null, atHead: false, thenClose: false });
      const cut = seed % 3 === 0 ? seed % (message.length + 1) : 0;
      let text = await exchange(tandem, latin1(message, 0, message.length), true, cut);
      assertEquals(server.problems, []);
      for (const request of server.requests) assertEquals(tandem.checkRequest(request), []);
      // Answers to HEAD are told from others by the requests that the server got; refusals are always last.
      for (const { first } of server.requests) {
        if (text === "") break;
        const taken = takeMessage(text, { kind: "response", method: first.split(" ")[0]!, ended: true });
        text = taken?.rest ?? "";
      }
      if (text !== "") takeMessage(text, { kind: "response", ended: true });
      if (seed % 20 === 0) await probe(tandem, seed);
    });
  });
});

Deno.test("Dataplane hands on only plain answers, whatever servers send", async () => {
  await withTandem(async (tandem, server) => {
    await fuzzAsync(ANSWERS, async (message, seed) => {
      server.begin({ reply: [latin1(message, 0, message.length)], atHead: false, thenClose: seed % 2 === 0 });
      const client = await RawSocket.connect(tandem.address);
      try {
        await client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        // An answer that wants more would be waited for, by right: the next client must not care.
        await client.until(() => client.ended, 20);
        let rest = client.received, finals = 0;
        while (rest !== "") {
          const taken = takeMessage(rest, { kind: "response", ended: client.ended });
          if (taken === null) break;
          rest = taken.rest;
          if (statusOf(taken.message) >= 200) finals++;
        }
        assertEquals(finals <= 1, true, client.received);
        assertEquals(finals === 0 || rest === "", true, client.received);
      } finally {
        await client.close();
      }
      await probe(tandem, seed);
    });
  });
});
