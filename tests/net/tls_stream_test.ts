/** The stream of text over TLS keeps the contract of streams, with the runtime's own client as its peer. */
import { BufferPool, Lease } from "../../mod/net/buffers.ts";
import { DenoStream, type StreamWorld } from "../../mod/net/deno_io.ts";
import type { TlsSnapshot } from "../../mod/config/snapshot.ts";
import type { StreamHandler } from "../../mod/net/stream.ts";
import type { TlsCodec, TlsCodecEvents } from "../../mod/net/tls.ts";
import { TlsStream } from "../../mod/net/tls_stream.ts";
import { makeTlsEngine, newTicketKeys } from "../../mod/net/tls_engine_io.ts";
import { assert, assertEquals } from "../assert.ts";
import { streamContract, type StreamPair } from "../contract/stream.ts";
import { Network } from "../sim/network.ts";
import { SimStream } from "../sim/stream.ts";
import { connPair, ConnPeer, until } from "./peer.ts";
import { Certificates } from "./openssl.ts";

const [CERTIFICATE, KEY] = await (async () => {
  await using certificates = await Certificates.make();
  await certificates.issue("authority");
  await certificates.issue("app", { names: ["app.internal"], by: "authority" });
  return [certificates.text("app.pem") + certificates.text("authority.pem"), certificates.text("app.key")];
})();

const TERMS: TlsSnapshot = {
  certificates: [{
    certFile: "app.pem",
    cert: CERTIFICATE,
    key: KEY,
    names: ["app.internal"],
    expiresAt: 0,
    issuer: "",
    fingerprint: "",
  }],
  minVersion: "1.2",
  alpn: [],
  strictSni: false,
  clientAuth: null,
};

async function open(prefer: string): Promise<StreamPair> {
  const [near, far] = await connPair();
  const bugs: unknown[] = [];
  const world: StreamWorld = { buffers: new BufferPool(), tick() {}, onBug: (error) => bugs.push(error) };
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const { buffers } = world;
  const acceptor = makeTlsEngine({ buffers, ticketKeys: newTicketKeys(), prefer }).acceptor(TERMS);
  const stream = new TlsStream(new DenoStream(near, world), "client", (events) => acceptor.open(events), {
    onSecure: () => resolve(),
    onRefused: (reason) => reject(new Error(reason)),
    onGone() {},
    onBug: (error) => bugs.push(error),
  });
  stream.start();
  const conn = await Deno.startTls(far, { hostname: "app.internal", caCerts: [CERTIFICATE] });
  await Promise.all([conn.handshake(), promise]);
  const peer = new ConnPeer(conn);
  return {
    stream,
    peer,
    buffers: world.buffers,
    until,
    pass: () => new Promise((done) => setTimeout(done, 20)),
    close: async () => {
      await peer.close();
      assertEquals(bugs, []);
    },
  };
}

for (const prefer of ["openssl", "rustls"]) {
  streamContract(`TlsStream of ${prefer}`, () => open(prefer));
}

/** A codec under the test's own control. */
class FakeCodec implements TlsCodec {
  output: Uint8Array[] = [];
  written: number[] = [];
  destroyed = 0;
  ended = 0;
  onBytes: (bytes: Uint8Array) => void = () => {};
  onWrite: () => void = () => {};

  constructor(readonly events: TlsCodecEvents) {}
  receive(bytes: Uint8Array): void {
    this.onBytes(bytes);
    for (const each of this.output.splice(0)) this.events.onBytes(new Lease(each, null), each.length);
  }
  write(_text: Uint8Array, size: number): void {
    this.written.push(size);
    this.onWrite();
  }
  end(): void {
    this.ended++;
  }
  destroy(): void {
    this.destroyed++;
  }
}

const FACTS = { version: "TLSv1.3", cipher: "", serverName: "", alpn: "", resumed: false, client: null };
const HELLO = new Uint8Array([0x16, 3, 1]);

function simulated(): {
  network: Network;
  below: SimStream;
  stream: TlsStream;
  codec: () => FakeCodec;
  told: string[];
  settle: () => void;
} {
  const network = new Network({});
  const below = new SimStream(network, "192.0.2.1", 1);
  const told: string[] = [];
  let codec: FakeCodec | null = null;
  const make = (events: TlsCodecEvents) => codec = new FakeCodec(events);
  const handler: StreamHandler = {
    onData: (view) => told.push(`data ${view.length}`),
    onEnd: () => told.push("end"),
    onDrain: () => told.push("drain"),
    onClosed: (error) => told.push(`closed ${error === null ? "well" : error.message}`),
  };
  const stream = new TlsStream(below, "client", make, {
    onSecure: (secure) => {
      told.push("secure");
      secure.handler = handler;
      secure.resume();
    },
    onRefused: (reason) => told.push(`refused ${reason}`),
    onGone: () => told.push("gone"),
    onBug: (error) => told.push(`bug ${(error as Error).message}`),
  });
  stream.start();
  const settle = () => {
    while (network.schedule.next !== Infinity) network.schedule.step();
  };
  return { network, below, stream, codec: () => codec!, told, settle };
}

Deno.test("TlsStream() makes a codec only for what begins like TLS", () => {
  const { below, told, settle } = simulated();
  below.peer.send(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  settle();
  assertEquals(told, ["refused it does not speak TLS"]);
  below.peer.end();
  settle();
  assertEquals(told, ["refused it does not speak TLS", "gone"]);
});

Deno.test("TlsStream() says nothing of a client that leaves without a word", () => {
  const { below, told, settle } = simulated();
  below.peer.end();
  settle();
  assertEquals(told[0], "refused ");
});

Deno.test("TlsStream() sends the alert of a handshake that fails, and reads on until the client has left", () => {
  const { below, codec, stream, told, settle } = simulated();
  below.peer.send(HELLO);
  settle();
  const made = codec();
  made.onBytes = () => {
    made.output.push(new Uint8Array([21]));
    made.events.onFault("no common version", false);
  };
  below.peer.send(HELLO);
  settle();
  assertEquals(told, ["refused no common version"]);
  assertEquals(below.peer.received.flatMap((bytes) => [...bytes]), [21]);
  below.peer.send(new Uint8Array(70_000));
  settle();
  assertEquals(told, ["refused no common version", "gone"]);
  assertEquals(made.destroyed, 1);
  stream.close();
});

Deno.test("TlsStream() tells a client that was cut off from one that said it was done", () => {
  for (const polite of [true, false]) {
    const { below, codec, stream, told, settle } = simulated();
    below.peer.send(HELLO);
    settle();
    const made = codec();
    made.onBytes = () => made.events.onSecure(FACTS);
    below.peer.send(HELLO);
    settle();
    made.onBytes = () => {
      made.events.onText(new Lease(new Uint8Array(3), null), 3);
      if (polite) made.events.onTextEnd();
    };
    below.peer.send(HELLO);
    below.peer.end();
    settle();
    if (polite) assertEquals(told, ["secure", "data 3", "end"]);
    else {
      assertEquals(told.slice(0, 2), ["secure", "data 3"]);
      assert(told[2]!.includes("close_notify"), told[2]!);
    }
    stream.close();
    settle();
    assertEquals(made.destroyed, 1);
  }
});

Deno.test("TlsStream() delivers text that comes with the end of the handshake, and holds it back while paused", async () => {
  const { below, codec, stream, told, settle } = simulated();
  below.peer.send(HELLO);
  settle();
  const made = codec();
  made.onBytes = () => {
    made.events.onSecure(FACTS);
    made.events.onText(new Lease(new Uint8Array(1), null), 1);
    made.events.onText(new Lease(new Uint8Array(2), null), 2);
  };
  below.peer.send(HELLO);
  settle();
  assertEquals(told, ["secure", "data 1", "data 2"]);
  stream.pause();
  made.onBytes = () => made.events.onText(new Lease(new Uint8Array(4), null), 4);
  below.peer.send(HELLO);
  settle();
  assertEquals(told.length, 3);
  stream.resume();
  await Promise.resolve();
  settle();
  await Promise.resolve();
  assertEquals(told.at(-1), "data 4");
  stream.close();
  settle();
});

Deno.test("TlsStream() encrypts in pieces that the codec takes whole", () => {
  const { below, codec, stream, settle } = simulated();
  below.peer.send(HELLO);
  settle();
  const made = codec();
  made.onBytes = () => made.events.onSecure(FACTS);
  below.peer.send(HELLO);
  settle();
  stream.write(new Uint8Array(100_000));
  assertEquals(made.written, [32_768, 32_768, 32_768, 1_696]);
  stream.close();
  settle();
});

Deno.test("TlsStream() a handler that throws where nobody sees it loses its connection, and is told of", async () => {
  const { below, codec, stream, told, settle } = simulated();
  below.peer.send(HELLO);
  settle();
  const made = codec();
  made.onBytes = () => made.events.onSecure(FACTS);
  below.peer.send(HELLO);
  settle();
  stream.handler.onData = () => stream.pause();
  made.onBytes = () => {
    made.events.onText(new Lease(new Uint8Array(4), null), 4);
    made.events.onText(new Lease(new Uint8Array(4), null), 4);
  };
  below.peer.send(HELLO);
  settle();
  stream.handler.onData = () => {
    throw new Error("on purpose");
  };
  stream.resume();
  await Promise.resolve();
  settle();
  assertEquals(told, ["secure", "bug on purpose", "closed well"]);
});

Deno.test("TlsStream() ignores what a peer sends that has said it was done", () => {
  const { below, codec, stream, told, settle } = simulated();
  below.peer.send(HELLO);
  settle();
  const made = codec();
  made.onBytes = () => made.events.onSecure(FACTS);
  below.peer.send(HELLO);
  settle();
  made.onBytes = () => made.events.onTextEnd();
  below.peer.send(HELLO);
  settle();
  made.onBytes = () => told.push("the codec has to keep it");
  for (let n = 0; n < 3; n++) below.peer.send(HELLO);
  settle();
  assertEquals(told, ["secure", "end"]);
  stream.write(HELLO);
  assertEquals(made.written, [3], "our side goes on");
  stream.close();
  settle();
});

Deno.test("TlsStream() a text that cannot be encrypted costs the connection, and is told of", () => {
  const { below, codec, stream, told, settle } = simulated();
  below.peer.send(HELLO);
  settle();
  const made = codec();
  made.onBytes = () => made.events.onSecure(FACTS);
  below.peer.send(HELLO);
  settle();
  made.onWrite = () => made.events.onFault("no more", false);
  assertEquals(stream.write(new Uint8Array(100_000)), true, "nobody waits for a drain");
  assertEquals(made.written.length, 1);
  settle();
  assertEquals(told, ["secure", "closed no more"]);
});

Deno.test("TlsStream() refuses a server at once where our end cannot begin", () => {
  const network = new Network({});
  const below = new SimStream(network, "192.0.2.1", 1);
  const told: string[] = [];
  const stream = new TlsStream(below, "server", (events) => {
    events.onFault("nothing to verify it by", true);
    return new FakeCodec(events);
  }, {
    onSecure: () => told.push("secure"),
    onRefused: (reason, untrusted) => told.push(`refused ${reason} ${untrusted}`),
    onGone: () => told.push("gone"),
    onBug: () => told.push("bug"),
  });
  stream.start();
  assertEquals(told, ["refused nothing to verify it by true"]);
  stream.close();
});
