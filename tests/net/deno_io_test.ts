/** The streams on real sockets keep the contract, and dialing and listening do what they say. */
import { DenoDialer, DenoListener, DenoStream } from "../../mod/net/deno_io.ts";
import type { Stream } from "../../mod/net/stream.ts";
import { assert, assertEquals } from "../assert.ts";
import { streamContract, type StreamPair } from "../contract/stream.ts";
import { connPair, ConnPeer, openFiles, until, world } from "./peer.ts";

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
  const listener = new DenoListener("127.0.0.1", 0, world());
  const streams: Stream[] = [];
  let may = true;
  const accepting = listener.accept({
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
