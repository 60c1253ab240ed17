import fc from "fast-check";
import { LARGE_BYTES } from "../../mod/net/buffers.ts";
import { fromLatin1 } from "../../mod/http/grammar.ts";
import { ChunkEncoder } from "../../mod/proxy/chunks.ts";
import { readBody } from "../http1/feed.ts";
import { CHUNKED, END } from "../../mod/http1/body.ts";
import { assert, assertEquals } from "../assert.ts";
import { Network } from "../sim/network.ts";
import { SimStream } from "../sim/stream.ts";

/** Encodes pieces, each in a call of its own, and answers what arrives. */
function encode(pieces: readonly Uint8Array[], trailer = ""): { bytes: Uint8Array; writes: number } {
  const network = new Network();
  const stream = new SimStream(network, "", 0);
  const encoder = new ChunkEncoder(network.buffers);
  for (const piece of pieces) {
    encoder.add(stream, piece, 0, piece.length, 0);
    encoder.flush(stream);
  }
  encoder.end(stream, fromLatin1(trailer));
  encoder.flush(stream);
  network.settle();
  assertEquals(network.buffers.outstanding, 0);
  const { received } = stream.peer;
  return { bytes: Uint8Array.from(received.flatMap((each) => [...each])), writes: received.length };
}

Deno.test("ChunkEncoder writes what a reader reads back", () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.uint8Array({ minLength: 4000, maxLength: 9000 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const read = readBody(CHUNKED, 0, encode(pieces).bytes, []);
      assertEquals(read.step, END);
      assertEquals(read.data.length, pieces.reduce((sum, { length }) => sum + length, 0));
      assertEquals(fromLatin1(read.data), Uint8Array.from(pieces.flatMap((each) => [...each])));
    }),
    { numRuns: 60 },
  );
});

Deno.test("ChunkEncoder writes sizes around every power of 16, without leading zeros", () => {
  for (const size of [1, 9, 10, 15, 16, 17, 255, 256, 4095, 4096, 65535 - 12, 65535, 65536, 65537]) {
    const { bytes } = encode([new Uint8Array(size)]);
    assertEquals(readBody(CHUNKED, 0, bytes, []).data.length, size);
    assert(bytes[0] !== 0x30, "a leading zero would end the body");
  }
});

Deno.test("ChunkEncoder gathers the pieces of one call in one write", () => {
  const network = new Network();
  const stream = new SimStream(network, "", 0);
  const encoder = new ChunkEncoder(network.buffers);
  const bytes = fromLatin1("one two three");
  encoder.add(stream, bytes, 0, 3, 10);
  encoder.add(stream, bytes, 4, 7, 6);
  encoder.end(stream, new Uint8Array(0));
  assertEquals(stream.queued, 0);
  encoder.flush(stream);
  network.settle();
  assertEquals(stream.peer.received.length, 1);
  assertEquals(stream.peer.text, "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
});

Deno.test("ChunkEncoder.flush() says when the stream wants to wait, once", () => {
  const network = new Network({ highWater: 1000 });
  const stream = new SimStream(network, "", 0);
  const encoder = new ChunkEncoder(network.buffers);
  encoder.add(stream, new Uint8Array(3 * LARGE_BYTES), 0, 3 * LARGE_BYTES, 0);
  assertEquals(encoder.flush(stream), false);
  assertEquals(encoder.flush(stream), true);
  network.settle();
});

Deno.test("ChunkEncoder.end() drops trailers that would change the message, and malformed ones", () => {
  const tail = (trailer: string) => {
    const text = String.fromCharCode(...encode([], trailer).bytes);
    return text.slice("0\r\n".length, -2);
  };
  assertEquals(tail("X-Sum: 1\r\nServer-Timing:  a;b \r\n\r\n"), "X-Sum: 1\r\nServer-Timing: a;b\r\n");
  const forbidden = [
    "Transfer-Encoding",
    "Content-Length",
    "Host",
    "Set-Cookie",
    "Content-Type",
    "Connection",
  ];
  for (const name of [...forbidden, "Authorization", "X-Forwarded-For", "Via", "If-Match", "Location"]) {
    assertEquals(tail(`${name}: x\r\nX: y\r\n\r\n`), "X: y\r\n", name);
  }
  assertEquals(tail("not a field\r\n\r\n"), "");
});
