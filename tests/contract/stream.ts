/**
 * What every implementation of the socket seam (`mod/net/stream.ts`) must do. Sessions rely on all of it.
 */
import type { BufferPool, Lease } from "../../mod/net/buffers.ts";
import type { Stream, StreamHandler } from "../../mod/net/stream.ts";
import { assert, assertEquals } from "../assert.ts";

/** The other end of a stream under test. */
export interface StreamPeer {
  send(bytes: Uint8Array): void | Promise<void>;
  /** FIN. */
  end(): void | Promise<void>;
  /** RST, or a close that makes the other side fail. */
  reset(): void | Promise<void>;
  /** Starts or stops reading; what is read adds to `received`. Reading at first. */
  reading(on: boolean): void;
  readonly received: Uint8Array;
  readonly gotEnd: boolean;
}

export interface StreamPair {
  readonly stream: Stream;
  readonly peer: StreamPeer;
  readonly buffers: BufferPool;
  /** Lets things happen until `condition` holds; fails when it never does. */
  until(condition: () => boolean): Promise<void>;
  /** Lets happen what would happen by itself. */
  pass(): Promise<void>;
  /** The test is over: lets go of what belongs to the pair. */
  close(): Promise<void>;
}

/** Writes down what a stream calls. */
class Recorder implements StreamHandler {
  bytes: number[] = [];
  ends = 0;
  drains = 0;
  closes: (Error | null)[] = [];
  /** Runs in each `onData`. */
  onBytes: (view: Uint8Array) => void = () => {};
  #depth = 0;

  onData(view: Uint8Array): void {
    this.#enter(() => {
      this.bytes.push(...view);
      this.onBytes(view);
    });
  }
  onEnd(): void {
    this.#enter(() => this.ends++);
  }
  onDrain(): void {
    this.#enter(() => this.drains++);
  }
  onClosed(error: Error | null): void {
    this.#enter(() => this.closes.push(error));
  }

  #enter(run: () => void): void {
    assertEquals(this.closes.length, 0, "nothing comes after onClosed");
    assertEquals(this.#depth, 0, "no call within a call");
    this.#depth++;
    run();
    this.#depth--;
  }
}

function pattern(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
}

const LARGE = 300_000;
/** More than any kernel keeps for a receiver that does not read. */
const HUGE = 32 * 1024 * 1024;

/** Registers the suite for one implementation. */
export function streamContract(name: string, open: () => Promise<StreamPair>): void {
  const test = (sentence: string, run: (pair: StreamPair, recorder: Recorder) => Promise<void>) =>
    Deno.test(`${name} ${sentence}`, async () => {
      const pair = await open();
      const recorder = new Recorder();
      pair.stream.handler = recorder;
      try {
        await run(pair, recorder);
        pair.stream.close();
        await pair.until(() => recorder.closes.length === 1);
        await pair.until(() => pair.buffers.outstanding === 0);
      } finally {
        pair.stream.close();
        await pair.close();
      }
    });

  test("delivers nothing before it is resumed, then everything in order", async (pair, recorder) => {
    const sent = pattern(LARGE);
    const sending = pair.peer.send(sent);
    await pair.pass();
    assertEquals(recorder.bytes.length, 0);
    pair.stream.resume();
    await pair.until(() => recorder.bytes.length === LARGE);
    await sending;
    assert(recorder.bytes.every((byte, i) => byte === sent[i]));
  });

  test("pause() lets at most one more call through, resume() goes on", async (pair, recorder) => {
    let calls = 0;
    recorder.onBytes = () => {
      calls++;
      pair.stream.pause();
    };
    pair.stream.resume();
    const sending = pair.peer.send(pattern(LARGE));
    await pair.until(() => calls > 0);
    await pair.pass();
    assert(calls <= 2, `${calls} calls`);
    recorder.onBytes = () => {};
    pair.stream.resume();
    await pair.until(() => recorder.bytes.length === LARGE);
    await sending;
  });

  test("write() sends a copy, writeLease() the bytes themselves, in order", async (pair) => {
    const { stream, peer, buffers } = pair;
    const view = pattern(10);
    stream.write(view);
    view.fill(0);
    const lease = buffers.atLeast(20);
    lease.bytes.set(pattern(20));
    stream.writeLease(lease, 10, 20);
    stream.write(new Uint8Array(0));
    stream.write(pattern(3));
    await pair.until(() => peer.received.length === 23);
    const expected = pattern(20);
    assertEquals([...peer.received], [...expected, ...pattern(3)]);
  });

  test("writeLease() releases a shared lease once and only for itself", async (pair) => {
    const lease = pair.buffers.small();
    lease.bytes.set(pattern(5));
    pair.stream.writeLease(lease.share(), 0, 5);
    await pair.until(() => pair.peer.received.length === 5);
    await pair.until(() => pair.stream.queued === 0);
    assertEquals(pair.buffers.outstanding >= 1, true);
    lease.release();
  });

  test("write() says to wait above the high water, onDrain() when all is out", async (pair, recorder) => {
    const { stream, peer } = pair;
    peer.reading(false);
    const piece = pattern(LARGE);
    for (let written = 0; written < HUGE; written += LARGE) stream.write(piece);
    assertEquals(stream.blocked, true);
    await pair.pass();
    assertEquals([recorder.drains, stream.blocked], [0, true]);
    assert(stream.queued > 0);
    peer.reading(true);
    await pair.until(() => recorder.drains === 1);
    assertEquals([stream.queued, stream.blocked], [0, false]);
  });

  test("take() hands the buffer over, which the stream then leaves alone", async (pair, recorder) => {
    const kept: { lease: Lease; start: number; size: number }[] = [];
    recorder.onBytes = (view) => {
      const lease = pair.stream.take();
      kept.push({ lease, start: view.byteOffset - lease.bytes.byteOffset, size: view.length });
    };
    pair.stream.resume();
    const sent = pattern(LARGE);
    const sending = pair.peer.send(sent);
    await pair.until(() => recorder.bytes.length === LARGE);
    await sending;
    const all = kept.flatMap(({ lease, start, size }) => [...lease.bytes.subarray(start, start + size)]);
    assert(all.every((byte, i) => byte === sent[i]));
    for (const { lease } of kept) lease.release();
  });

  test("may write back the buffer it took", async (pair, recorder) => {
    const { stream, peer } = pair;
    recorder.onBytes = (view) => {
      const lease = stream.take();
      const start = view.byteOffset - lease.bytes.byteOffset;
      if (!stream.writeLease(lease, start, start + view.length)) stream.pause();
    };
    const { onDrain } = recorder;
    recorder.onDrain = () => {
      onDrain.call(recorder);
      stream.resume();
    };
    stream.resume();
    const sent = pattern(LARGE);
    const sending = peer.send(sent);
    await pair.until(() => peer.received.length === LARGE);
    await sending;
    assert(peer.received.every((byte, i) => byte === sent[i]));
  });

  test("end() sends FIN behind everything queued, and reading goes on", async (pair, recorder) => {
    const { stream, peer } = pair;
    stream.write(pattern(LARGE));
    stream.end();
    assertEquals(stream.write(pattern(5)), true, "what is written behind it goes nowhere");
    await pair.until(() => peer.gotEnd);
    assertEquals(peer.received.length, LARGE);
    stream.resume();
    await peer.send(pattern(100));
    await pair.until(() => recorder.bytes.length === 100);
    assertEquals(recorder.closes.length, 0);
  });

  test("onEnd() comes behind the last byte, and writing goes on", async (pair, recorder) => {
    const { stream, peer } = pair;
    stream.resume();
    await peer.send(pattern(1000));
    await peer.end();
    await pair.until(() => recorder.ends === 1);
    assertEquals(recorder.bytes.length, 1000);
    stream.write(pattern(50));
    await pair.until(() => peer.received.length === 50);
    assertEquals(recorder.closes.length, 0);
  });

  for (const first of ["stream", "peer"] as const) {
    test(`closes by itself once both sides have ended, the ${first} first`, async (pair, recorder) => {
      const { stream, peer } = pair;
      stream.resume();
      if (first === "stream") {
        stream.end();
        await pair.until(() => peer.gotEnd);
        await peer.end();
      } else {
        await peer.end();
        await pair.until(() => recorder.ends === 1);
        stream.write(pattern(LARGE));
        stream.end();
      }
      await pair.until(() => recorder.closes.length === 1);
      assertEquals([recorder.ends, recorder.closes], [1, [null]]);
      if (first === "peer") await pair.until(() => peer.received.length === LARGE);
    });
  }

  test(
    "close() ends at once, tells so later, and everything after it is harmless",
    async (pair, recorder) => {
      const { stream, peer, buffers } = pair;
      stream.resume();
      peer.reading(false);
      for (let i = 0; i < 20; i++) stream.write(pattern(LARGE));
      stream.close();
      assertEquals(recorder.closes.length, 0, "not from within the call");
      stream.close();
      stream.end();
      stream.pause();
      stream.resume();
      stream.bulk(true);
      assertEquals(stream.write(pattern(5)), true);
      assertEquals(stream.writeLease(buffers.small(), 0, 5), true);
      peer.reading(true);
      await pair.until(() => recorder.closes.length === 1 && peer.gotEnd);
      assertEquals(recorder.closes, [null]);
    },
  );

  test("close() from within onData() is the last of it", async (pair, recorder) => {
    recorder.onBytes = () => pair.stream.close();
    pair.stream.resume();
    await pair.peer.send(pattern(100));
    await pair.until(() => recorder.closes.length === 1);
    await pair.pass();
    assertEquals(recorder.closes, [null]);
  });

  test("a reset by the peer closes with an error", async (pair, recorder) => {
    const { stream, peer } = pair;
    stream.resume();
    // Unread bytes at a peer that closes are what makes a real one reset.
    peer.reading(false);
    for (let i = 0; i < 20; i++) stream.write(pattern(LARGE));
    await pair.pass();
    await peer.reset();
    await pair.until(() => recorder.closes.length === 1);
    assert(recorder.closes[0] instanceof Error);
  });

  test("the handler may be changed within a call", async (pair, recorder) => {
    const second = new Recorder();
    recorder.onBytes = () => pair.stream.handler = second;
    pair.stream.resume();
    await pair.peer.send(pattern(10));
    await pair.until(() => recorder.bytes.length > 0);
    await pair.peer.send(pattern(10));
    await pair.until(() => recorder.bytes.length + second.bytes.length === 20);
    assert(second.bytes.length > 0);
    pair.stream.handler = recorder;
    recorder.onBytes = () => {};
  });
}
