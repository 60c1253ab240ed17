// Invariant: whatever frames a client sends, servers read plain HTTP/1.1, and the connection is answered or ends.
import { fromLatin1, latin1 } from "../../mod/http/grammar.ts";
import { assert, assertEquals } from "../assert.ts";
import {
  block,
  DATA,
  END_HEADERS,
  END_STREAM,
  frame,
  FrameLog,
  GET,
  get,
  GOAWAY,
  HEADERS,
  Http2Client,
  PING,
  POST,
  PREFACE,
  RST,
  SETTINGS,
} from "../conformance/http2_client.ts";
import { RecordingServer } from "../conformance/recording_server.ts";
import { type RunningSubject, startTandem } from "../conformance/subject.ts";
import { fuzzAsync } from "./mutation.ts";

const BLOCKS = [
  block(...GET, ["cookie", "a=b"], ["cookie", "c=d"]),
  block(...POST, ["content-length", "5"], ["x-a", "b"]),
  block([":method", "CONNECT"], [":protocol", "websocket"], ...GET.slice(1)),
  "\x82\x86\x84\x41\x0fwww.example.com\x40\x0acustom-key\x0dcustom-header",
  "\x82\x87\x85\xbf\x40\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\x89\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf",
];
const FRAMES = [
  get(1),
  frame(HEADERS, END_HEADERS, 1, BLOCKS[1]) + frame(DATA, END_STREAM, 1, "hello"),
  frame(HEADERS, END_HEADERS, 1, block(...POST)) + frame(DATA, 0, 1, "he") +
  frame(HEADERS, END_HEADERS | END_STREAM, 1, block(["x-sum", "1"])),
  frame(PING, 0, 0, "12345678") + get(3) + frame(SETTINGS, 0, 0, "\0\x04\0\0\0\x01") + get(5),
];
const LAST = 0x7fffffff;
const AFTER = GET.map(([name, value]) => [name, name === ":path" ? "/after" : value] as const);

/** A frame that would be longer is refused by its length alone. */
const MOST = 20_000;

/** Completes a frame that is cut short, by nothing. */
function whole(frames: string): string {
  const log = new FrameLog(false);
  log.feed(frames);
  while (log.missing > 0) {
    const rest = "\0".repeat(Math.min(log.missing, MOST));
    frames += rest;
    if (log.missing > MOST) break;
    log.feed(rest);
  }
  return frames;
}

async function fuzz(corpus: readonly string[], wrap: (message: string) => string): Promise<void> {
  const server = new RecordingServer();
  const tandem = await startTandem(server.port);
  let reached = 0;
  try {
    await fuzzAsync(corpus, async (message) => {
      await exchange(tandem, server, wrap(latin1(message, 0, message.length)));
      reached += server.requests.filter(({ first }) => !first.includes("/after")).length;
    });
    assertEquals(tandem.errors, []);
    assert(reached > 0, "all of them was refused");
  } finally {
    await tandem.close();
    await server.close();
  }
}

async function exchange(tandem: RunningSubject, server: RecordingServer, frames: string): Promise<void> {
  server.begin({ reply: null, atHead: false, thenClose: false });
  const client = await Http2Client.connect(tandem.address);
  try {
    await client.send(PREFACE + frame(SETTINGS, 0, 0) + whole(frames));
    // The last request of all: when it is answered, those before it have reached the server.
    await client.send(frame(HEADERS, END_HEADERS | END_STREAM, LAST, block(...AFTER)));
    // Its head alone: a window that a client has set may hold the body back for ever.
    await client.frame((one) =>
      one.stream === LAST && [HEADERS, RST].includes(one.type) || one.type === GOAWAY
    );
    assert(client.log.status(LAST) === 200 || await client.end(), "the connection hangs");
    assertEquals(server.problems, []);
    for (const request of server.requests) assertEquals(tandem.checkRequest(request), []);
  } finally {
    await client.close();
  }
}

Deno.test("Http2Connection hands on only plain requests, whatever frames clients send", () =>
  fuzz(FRAMES, String));

Deno.test("Http2Connection hands on only plain requests, whatever fields clients send", () =>
  fuzz(BLOCKS, (fields) => {
    const size = fromLatin1(fields).length;
    return frame(HEADERS, END_HEADERS | (size % 2 === 0 ? END_STREAM : 0), 1, fields) +
      frame(DATA, END_STREAM, 1, "hello");
  }));
