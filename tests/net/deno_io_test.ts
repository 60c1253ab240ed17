/** The streams on real sockets keep the contract, and dialing and listening do what they say. */
import { BufferPool } from "../../mod/net/buffers.ts";
import { DenoDialer, DenoListener, DenoStream, type StreamWorld } from "../../mod/net/deno_io.ts";
import type { Stream } from "../../mod/net/stream.ts";
import { assert, assertEquals } from "../assert.ts";
import { streamContract, type StreamPair } from "../contract/stream.ts";

/** A condition that does not come true in that time never will. */
const PATIENCE_MS = 10_000;

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("Nothing happens any more");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function world(): StreamWorld & { bugs: unknown[] } {
  const bugs: unknown[] = [];
  return { buffers: new BufferPool(), tick() {}, onBug: (error) => bugs.push(error), bugs };
}

/** The far end of a connection, read by a loop of its own. */
class ConnPeer {
  gotEnd = false;
  #pieces: Uint8Array[] = [];
  #on = true;
  #wake: () => void = () => {};
  readonly done: Promise<void>;

  constructor(readonly conn: Deno.TcpConn) {
    this.done = this.#read();
  }

  async send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.conn.write(bytes.subarray(at));
  }

  end(): Promise<void> {
    return this.conn.closeWrite();
  }

  /** Closing with unread bytes makes the kernel send a reset. */
  reset(): void {
    this.#close();
  }

  reading(on: boolean): void {
    this.#on = on;
    if (on) this.#wake();
  }

  get received(): Uint8Array {
    const all = new Uint8Array(this.#pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of this.#pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }

  async close(): Promise<void> {
    this.reading(true);
    this.#close();
    await this.done;
  }

  #close(): void {
    try {
      this.conn.close();
    } catch {
      // Closed already.
    }
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    for (;;) {
      if (!this.#on) await new Promise<void>((resolve) => this.#wake = resolve);
      const size = await this.conn.read(buffer).catch(() => null);
      if (size === null) break;
      this.#pieces.push(buffer.slice(0, size));
    }
    this.gotEnd = true;
  }
}

async function connPair(): Promise<[near: Deno.TcpConn, far: Deno.TcpConn]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [near, far] = await Promise.all([
    listener.accept(),
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
  ]);
  return [near, far];
}

async function open(): Promise<StreamPair> {
  const [near, far] = await connPair();
  const shared = world();
  const stream = new DenoStream(near, shared);
  const peer = new ConnPeer(far);
  return {
    stream,
    peer,
    buffers: shared.buffers,
    until,
    pass: () => new Promise((resolve) => setTimeout(resolve, 20)),
    close: async () => {
      await peer.close();
      assertEquals(shared.bugs, []);
    },
  };
}

streamContract("DenoStream", open);

Deno.test("DenoDialer connects, and says so when it cannot", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const dialer = new DenoDialer(world());
  const accepted = listener.accept();
  const stream = await new Promise<Stream>((onOpen, onFailed) => {
    dialer.dial("127.0.0.1", port, { onOpen, onFailed });
  });
  assertEquals([stream.remoteHost, stream.remotePort], ["127.0.0.1", port]);
  (await accepted).close();
  stream.close();
  listener.close();
  const error = await new Promise<unknown>((onFailed, onOpen) => {
    dialer.dial("127.0.0.1", port, { onOpen, onFailed });
  });
  assert(error instanceof Error);
});

Deno.test("DenoDialer calls nothing once a dial is cancelled", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const calls: string[] = [];
  const accepted = listener.accept();
  new DenoDialer(world()).dial("127.0.0.1", listener.addr.port, {
    onOpen: () => calls.push("open"),
    onFailed: () => calls.push("failed"),
  }).cancel();
  using conn = await accepted;
  assertEquals(await conn.read(new Uint8Array(1)), null, "the connection that came of it is closed");
  assertEquals(calls, []);
});

Deno.test("DenoListener accepts while it may, and waits while it may not", async () => {
  const listener = new DenoListener("127.0.0.1", 0);
  const streams: Stream[] = [];
  let may = true;
  const accepting = listener.accept(world(), {
    mayAccept: () => may,
    onAccept: (stream) => streams.push(stream),
    onAcceptError: () => {},
  });
  const address = { hostname: "127.0.0.1", port: listener.port };
  const conns = [await Deno.connect(address)];
  await until(() => streams.length === 1);
  may = false;
  // The one accept that is under way may still bring one.
  for (let i = 0; i < 3; i++) conns.push(await Deno.connect(address));
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert(streams.length <= 2, `${streams.length} accepted`);
  may = true;
  await until(() => streams.length === 4);
  listener.close();
  await accepting;
  for (const stream of streams) stream.close();
  for (const conn of conns) conn.close();
});

Deno.test("DenoStream says both addresses of its connection, until others are set", async () => {
  const [near, far] = await connPair();
  const stream = new DenoStream(near, world());
  const addresses = () => [stream.remoteHost, stream.remotePort, stream.localHost, stream.localPort];
  const { remoteAddr, localAddr } = near;
  assertEquals(addresses(), [remoteAddr.hostname, remoteAddr.port, localAddr.hostname, localAddr.port]);
  stream.setAddresses({ host: "192.0.2.7", port: 1 }, { host: "2001:db8::1", port: 443 });
  assertEquals(addresses(), ["192.0.2.7", 1, "2001:db8::1", 443]);
  stream.close();
  far.close();
});

Deno.test("DenoStream closes a connection whose session throws, and tells", async () => {
  const [near, far] = await connPair();
  const shared = world();
  const stream = new DenoStream(near, shared);
  let closed = false;
  stream.handler = {
    onData() {
      throw new Error("a bug");
    },
    onEnd() {},
    onDrain() {},
    onClosed: () => closed = true,
  };
  stream.resume();
  await far.write(new Uint8Array(1));
  await until(() => closed);
  assertEquals((shared.bugs[0] as Error).message, "a bug");
  assertEquals(shared.buffers.outstanding, 0);
  far.close();
});

Deno.test("DenoDialer lets go of the socket of a dial that is cancelled while the server is silent", async () => {
  // With its queue full and nobody accepting, the kernel leaves further attempts without an answer.
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  const { port } = listener.addr;
  const filling = await Promise.all([1, 2].map(() => Deno.connect({ hostname: "127.0.0.1", port })));
  const dialer = new DenoDialer(world());
  const handler = { onOpen: () => assert(false), onFailed: () => assert(false) };
  const before = openFiles();
  const dials = Array.from({ length: 5 }, () => dialer.dial("127.0.0.1", port, handler));
  await until(() => openFiles() >= before + dials.length);
  for (const dial of dials) dial.cancel();
  await until(() => openFiles() <= before);
  for (const conn of filling) conn.close();
  listener.close();
});

function openFiles(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}
