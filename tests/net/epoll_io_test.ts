/** The streams on epoll keep the contract, and dialing does what it says. */
import { Disk } from "../../mod/files/disk_io.ts";
import type { OpenFile } from "../../mod/files/file_system.ts";
import { EpollDialer } from "../../mod/net/epoll_dial_io.ts";
import { makeEngine } from "../../mod/net/engine_io.ts";
import { Poller, socketLibc } from "../../mod/net/epoll_io.ts";
import { EpollListener } from "../../mod/net/epoll_listen_io.ts";
import { FILE_ENDED, FILE_REFUSED, PEER_GONE, type Stream } from "../../mod/net/stream.ts";
import { assert, assertEquals } from "../assert.ts";
import { streamContract, type StreamPair } from "../contract/stream.ts";
import { connPair, ConnPeer, openFiles, until, world } from "./peer.ts";

/** Far more than fit into a millisecond that is measured by a timer. */
const MOST_TURNS = 3_000_000;

/** Between the runtime's own sockets. */
const TRIPS = 20;
/** The runtime alone would take 61. */
const MOST_TURNS_A_TRIP = 20;

const library = socketLibc();
library?.close();
if (library === null) {
  Deno.test({ name: "EpollStream (skipped: needs Linux and libc.so.6)", ignore: true, fn() {} });
} else tests();

function tests(): void {
  const poller = (shared: ReturnType<typeof world>) => new Poller(socketLibc()!, shared.tick, shared.onBug);

  /** A stream that was accepted. */
  async function open(): Promise<StreamPair> {
    const shared = world();
    const polling = poller(shared);
    const { stream, conn, close } = await accepted(polling, shared);
    const peer = new ConnPeer(conn);
    return {
      stream,
      peer,
      buffers: shared.buffers,
      until,
      pass: () => new Promise((resolve) => setTimeout(resolve, 20)),
      close: async () => {
        await peer.close();
        close();
        await polling.stop();
        assertEquals(shared.bugs, []);
      },
    };
  }

  async function accepted(polling: Poller, shared: ReturnType<typeof world>) {
    const listener = new EpollListener("127.0.0.1", 0, polling, shared);
    const { promise, resolve } = Promise.withResolvers<Stream>();
    listener.accept({ mayAccept: () => true, onAccept: resolve, onAcceptError() {} });
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: listener.port });
    const stream = await promise;
    return { stream, conn, close: () => listener.close() };
  }

  Deno.test("EpollListener.finish() takes who waits in the queue before it closes, and nobody afterwards", async () => {
    const shared = world();
    const polling = poller(shared);
    const listener = new EpollListener("127.0.0.1", 0, polling, shared);
    const taken: Stream[] = [];
    let open = false;
    listener.accept({
      mayAccept: () => open,
      onAccept: (stream) => void taken.push(stream),
      onAcceptError() {},
    });
    const { port } = listener;
    const connect = () => Deno.connect({ hostname: "127.0.0.1", port });
    const conns = await Promise.all(Array.from({ length: 100 }, connect));
    open = true;
    listener.finish();
    assertEquals(taken.length, 100);
    assertEquals(await connect().then((conn) => conn.close(), () => "refused"), "refused");
    for (const conn of conns) conn.close();
    for (const stream of taken) stream.close();
    await polling.stop();
    assertEquals(shared.bugs, []);
  });

  /** The same for the other side: a stream that was dialled. */
  async function dialled(): Promise<StreamPair> {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const shared = world();
    const polling = poller(shared);
    const accepted = listener.accept();
    const stream = await new Promise<Stream>((onOpen, onFailed) => {
      new EpollDialer(polling, shared).dial("127.0.0.1", listener.addr.port, { onOpen, onFailed });
    });
    const peer = new ConnPeer(await accepted);
    return {
      stream,
      peer,
      buffers: shared.buffers,
      until,
      pass: () => new Promise((resolve) => setTimeout(resolve, 20)),
      close: async () => {
        await peer.close();
        await polling.stop();
        assertEquals(shared.bugs, []);
      },
    };
  }

  streamContract("EpollStream (accepted)", open);
  streamContract("EpollStream (dialled)", dialled);

  /** An open file of so many bytes that tell where they are from. */
  async function fileOf(size: number) {
    const path = await Deno.makeTempFile({ prefix: "tandem-sendfile-" });
    const bytes = Uint8Array.from({ length: size }, (_, at) => (at * 7 + (at >> 8)) & 0xff);
    await Deno.writeFile(path, bytes);
    const file = new Disk().open(path) as OpenFile;
    return {
      fd: file.fd,
      path,
      bytes,
      close: async () => {
        file.close();
        await Deno.remove(path);
      },
    };
  }

  /** Sends `at` to `end` of a file as a session does, and resolves with the first answer that is no number of bytes, or 0. */
  function sendAll(stream: Stream, fd: number, at: number, end: number): Promise<number> {
    return new Promise((resolve) => {
      const go = () => {
        const sent = stream.sendFile!(fd, at, end);
        if (sent < 0 || (at += sent) === end) resolve(Math.min(sent, 0));
      };
      stream.handler = { onData() {}, onEnd() {}, onDrain: go, onClosed() {} };
      go();
    });
  }

  Deno.test("EpollStream.sendFile() sends any part of a file, behind what was written, to slow and fast readers", async () => {
    const pair = await open();
    const file = await fileOf(9_000_000);
    const { stream, peer } = pair;
    for (const slow of [true, false]) {
      const before = peer.received.length;
      peer.reading(!slow);
      stream.write(new Uint8Array(3));
      const sending = sendAll(stream, file.fd, 5, file.bytes.length - 1);
      // More than fits into the kernel's buffers.
      if (slow) await until(() => stream.blocked);
      assertEquals(stream.queued, 0);
      peer.reading(true);
      assertEquals(await sending, 0);
      const length = before + 3 + file.bytes.length - 6;
      await until(() => peer.received.length === length);
      const got = peer.received.subarray(before + 3);
      assert(got.every((byte, at) => byte === file.bytes[at + 5]));
    }
    await file.close();
    stream.close();
    await pair.close();
  });

  Deno.test("EpollStream.sendFile() waits behind what is queued, and leaves others their turns", async () => {
    const pair = await open();
    const file = await fileOf(9_000_000);
    const { stream, peer } = pair;
    peer.reading(false);
    while (stream.write(new Uint8Array(1_000_000)));
    assertEquals(stream.sendFile!(file.fd, 0, 1000), 0);
    peer.reading(true);
    await until(() => !stream.blocked);
    const sent = stream.sendFile!(file.fd, 0, file.bytes.length);
    assert(sent > 0 && sent <= 2 * 1024 * 1024, `${sent} at once`);
    await file.close();
    stream.close();
    await pair.close();
  });

  Deno.test("EpollStream.sendFile() says when the file ends early, cannot be sent, or nobody reads", async () => {
    const pair = await open();
    const file = await fileOf(2_000_000);
    const { stream } = pair;
    assertEquals(await sendAll(stream, file.fd, 0, file.bytes.length + 1), FILE_ENDED);
    // A number that is nobody's.
    assertEquals(stream.sendFile!(9_999, 0, 10), FILE_REFUSED);
    await pair.peer.reset();
    await until(() => stream.sendFile!(file.fd, 0, 1000) === PEER_GONE);
    assertEquals(stream.sendFile!(file.fd, 0, 1000), PEER_GONE);
    await file.close();
    stream.close();
    await pair.close();
  });

  Deno.test("EpollDialer connects by IPv4 and IPv6, and says why it cannot", async () => {
    const shared = world();
    const polling = poller(shared);
    const dialer = new EpollDialer(polling, shared);
    for (const hostname of ["127.0.0.1", "::1"]) {
      const listener = Deno.listen({ hostname, port: 0 });
      const { port } = listener.addr;
      const accepted = listener.accept();
      const stream = await new Promise<Stream>((onOpen, onFailed) => {
        dialer.dial(hostname, port, { onOpen, onFailed });
      });
      const conn = await accepted;
      const { hostname: host, port: ours } = conn.remoteAddr as Deno.NetAddr;
      assertEquals([stream.remoteHost, stream.remotePort], [hostname, port]);
      assertEquals([stream.localHost, stream.localPort], [host, ours]);
      conn.close();
      stream.close();
      listener.close();
      const error = await new Promise<Error>((onFailed, onOpen) => {
        dialer.dial(hostname, port, { onOpen, onFailed });
      });
      assertEquals(error.message, "connection refused");
    }
    await polling.stop();
    assertEquals(shared.bugs, []);
  });

  Deno.test("EpollDialer lets go of the sockets of dials that are cancelled while the server is silent", async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
    const { port } = listener.addr;
    const filling = await Promise.all([1, 2].map(() => Deno.connect({ hostname: "127.0.0.1", port })));
    const shared = world();
    const polling = poller(shared);
    const dialer = new EpollDialer(polling, shared);
    const handler = { onOpen: () => assert(false), onFailed: () => assert(false) };
    const before = openFiles();
    const dials = Array.from({ length: 5 }, () => dialer.dial("127.0.0.1", port, handler));
    assertEquals(openFiles(), before + dials.length);
    for (const dial of dials) dial.cancel();
    assertEquals(openFiles(), before);
    for (const conn of filling) conn.close();
    listener.close();
    await polling.stop();
  });

  Deno.test("EpollDialer closes a connection whose handler throws, and tells", async () => {
    const shared = world();
    const polling = poller(shared);
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const accepted = listener.accept();
    new EpollDialer(polling, shared).dial("127.0.0.1", listener.addr.port, {
      onOpen() {
        throw new Error("a bug");
      },
      onFailed() {},
    });
    using conn = await accepted;
    let ended = false;
    void conn.read(new Uint8Array(1)).then((size) => ended = size === null);
    await until(() => ended);
    assertEquals((shared.bugs[0] as Error).message, "a bug");
    await polling.stop();
  });

  Deno.test("EpollStream a reset that a write hears of first is no end of what the peer sent", async () => {
    const shared = world();
    const polling = poller(shared);
    const listener = new EpollListener("127.0.0.1", 0, polling, shared);
    const near = new Promise<Stream>((onAccept) => {
      listener.accept({ mayAccept: () => true, onAccept, onAcceptError() {} });
    });
    // A far end of our own, as the runtime's sends FIN before it closes.
    const far = await new Promise<Stream>((onOpen, onFailed) => {
      new EpollDialer(polling, shared).dial("127.0.0.1", listener.port, { onOpen, onFailed });
    });
    const stream = await near;
    const told: string[] = [];
    stream.handler = {
      onData: () => {
        stream.write(new Uint8Array(1000)); // takes the error away from the read that follows
      },
      onEnd: () => told.push("end"),
      onDrain() {},
      onClosed: (error) => told.push(error?.message ?? "closed"),
    };
    stream.write(new Uint8Array(1000));
    await new Promise((resolve) => setTimeout(resolve, 20));
    far.write(new Uint8Array(1));
    // What it has not read makes this a reset.
    far.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    stream.resume();
    await until(() => told.length > 0);
    assertEquals(told, ["connection reset"]);
    listener.close();
    await polling.stop();
    assertEquals([shared.bugs, shared.buffers.outstanding], [[], 0]);
  });

  Deno.test("EpollStream closes a connection whose session throws, and tells", async () => {
    const shared = world();
    const polling = poller(shared);
    const { stream, conn: far, close } = await accepted(polling, shared);
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
    close();
    await polling.stop();
  });

  Deno.test("Poller() a descriptor that is used again hears nothing of its predecessor", async () => {
    const shared = world();
    const polling = poller(shared);
    for (let round = 0; round < 50; round++) {
      const { stream, conn: far, close } = await accepted(polling, shared);
      let heard = 0;
      stream.handler = { onData: () => heard++, onEnd() {}, onDrain() {}, onClosed() {} };
      stream.resume();
      await far.write(Uint8Array.of(round));
      // Half of them are closed with an event for them on its way.
      if (round % 2 === 0) await until(() => heard === 1);
      stream.close();
      far.close();
      close();
    }
    await polling.stop();
    assertEquals([shared.bugs, shared.buffers.outstanding], [[], 0]);
  });

  Deno.test("Poller.later() leaves the runtime its turns, whoever asks in every turn", async () => {
    const shared = world();
    const polling = poller(shared);
    // By then it waits on a thread of the pool.
    await new Promise((resolve) => setTimeout(resolve, 50));
    let fired = false;
    let turns = 0;
    const hog = {
      onEvents() {},
      onTurn: () => {
        if (turns === 0) setTimeout(() => fired = true, 1);
        if (!fired && ++turns < MOST_TURNS) polling.later(hog);
      },
    };
    polling.later(hog);
    await until(() => fired);
    assert(turns > 0 && turns < MOST_TURNS, `${turns} turns`);
    await polling.stop();
  });

  Deno.test("Poller() leaves the runtime's own sockets their turns while there is always something to do", async () => {
    const shared = world();
    const polling = poller(shared);
    const [near, far] = await connPair();
    let over = false;
    let turns = 0;
    const hog = {
      onEvents() {},
      onTurn: () => {
        turns++;
        // As long as a turn of the poller, so that they can be counted.
        for (const until = performance.now() + 1; performance.now() < until;);
        if (!over) polling.later(hog);
      },
    };
    polling.later(hog);
    const bytes = new Uint8Array(1);
    for (let trip = 0; trip < TRIPS; trip++) {
      const reading = near.read(bytes);
      await far.write(bytes);
      await reading;
    }
    over = true;
    assert(turns < TRIPS * MOST_TURNS_A_TRIP, `${turns} turns for ${TRIPS} round trips`);
    near.close();
    far.close();
    await polling.stop();
  });

  Deno.test("Poller.stop() keeps its numbers until the thread of the pool is done, which may not have begun", async () => {
    const shared = world();
    const nothing = openFiles();
    const polling = poller(shared);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const before = openFiles();
    const stopping = polling.stop();
    assertEquals(openFiles(), before);
    await stopping;
    assertEquals(openFiles(), nothing);
  });

  Deno.test("EpollListener accepts while it may, and waits while it may not", async () => {
    const shared = world();
    const polling = poller(shared);
    const listener = new EpollListener("127.0.0.1", 0, polling, shared);
    const streams: Stream[] = [];
    let may = true;
    listener.accept({
      mayAccept: () => may,
      onAccept: (stream) => streams.push(stream),
      onAcceptError: () => {},
    });
    const address = { hostname: "127.0.0.1", port: listener.port };
    const conns = [await Deno.connect(address)];
    await until(() => streams.length === 1);
    may = false;
    for (let i = 0; i < 100; i++) conns.push(await Deno.connect(address));
    await new Promise((resolve) => setTimeout(resolve, 100));
    assertEquals(streams.length, 1);
    may = true;
    await until(() => streams.length === 101);
    assertEquals(streams.map(({ remotePort }) => remotePort).toSorted(), conns.map(portOf).toSorted());
    listener.close();
    for (const stream of streams) stream.close();
    for (const conn of conns) conn.close();
    await polling.stop();
    assertEquals(shared.bugs, []);
  });

  Deno.test("EpollListener rests once, also when it is its turn meanwhile", async () => {
    const shared = world();
    const polling = poller(shared);
    const listener = new EpollListener("127.0.0.1", 0, polling, shared);
    let asked = 0;
    const mayAccept = () => ++asked === 0;
    listener.accept({ mayAccept, onAccept() {}, onAcceptError() {} });
    listener.onEvents();
    listener.onTurn();
    assertEquals(asked, 1);
    listener.close();
    await polling.stop();
  });

  Deno.test("EpollListener shares a port, takes both families, and says why it cannot listen", async () => {
    const shared = world();
    const polling = poller(shared);
    const both = new EpollListener("::", 0, polling, shared);
    const second = new EpollListener("::", both.port, polling, shared);
    const hosts: string[] = [];
    for (const listener of [both, second]) {
      listener.accept({
        mayAccept: () => true,
        onAccept: (stream) => {
          hosts.push(stream.remoteHost);
          stream.close();
        },
        onAcceptError() {},
      });
    }
    for (const hostname of ["127.0.0.1", "::1"]) {
      (await Deno.connect({ hostname, port: both.port })).close();
    }
    await until(() => hosts.length === 2);
    assertEquals(hosts.toSorted(), ["127.0.0.1", "::1"]);
    const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const reasons = [["127.0.0.1", taken.addr.port], ["192.0.2.1", 0], ["example", 0]].map(([host, port]) => {
      try {
        new EpollListener(String(host), Number(port), polling, shared).close();
        return "";
      } catch (error) {
        return (error as Error).message;
      }
    });
    assertEquals(reasons, [
      "the address is in use",
      "no such address, or no free port",
      "Cannot listen on example as it is no IP address",
    ]);
    for (const each of [both, second, taken]) each.close();
    await polling.stop();
    assertEquals(shared.bugs, []);
  });

  Deno.test("makeEngine() takes epoll unless told otherwise, and only for so many workers", async () => {
    const names: string[] = [];
    for (const [worker, prefer] of [[0, undefined], [15, ""], [16, undefined], [0, "deno"]] as const) {
      const engine = makeEngine(world(), worker, prefer);
      names.push(engine.name);
      await engine.stop();
    }
    assertEquals(names, ["epoll", "epoll", "deno", "deno"]);
  });
}

function portOf(conn: Deno.TcpConn): number {
  return conn.localAddr.port;
}
