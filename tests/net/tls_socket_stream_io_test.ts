/** The streams over TLS keep the contract of the seam, with a server of `node:tls` as the far end. */
import { Buffer } from "node:buffer";
import type { AddressInfo } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { BufferPool } from "../../mod/net/buffers.ts";
import type { StreamWorld } from "../../mod/net/deno_io.ts";
import type { Stream } from "../../mod/net/stream.ts";
import { TlsDialer } from "../../mod/net/tls_dial_io.ts";
import { assertEquals } from "../assert.ts";
import { streamContract, type StreamPair, type StreamPeer } from "../contract/stream.ts";
import { CERTIFICATE, KEY } from "../health/certificate.ts";

/** A condition that does not come true in that time never will. */
const PATIENCE_MS = 10_000;

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("Nothing happens any more");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

class SocketPeer implements StreamPeer {
  gotEnd = false;
  closed = false;
  #pieces: Uint8Array[] = [];

  constructor(readonly socket: TLSSocket) {
    socket.on("data", (bytes: Uint8Array) => this.#pieces.push(bytes));
    socket.on("end", () => this.gotEnd = true);
    socket.on("error", () => {});
    socket.on("close", () => this.closed = this.gotEnd = true);
  }

  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()));
  }

  end(): void {
    this.socket.end();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  reading(on: boolean): void {
    if (on) this.socket.resume();
    else this.socket.pause();
  }

  get received(): Uint8Array {
    return Buffer.concat(this.#pieces);
  }
}

async function open(): Promise<StreamPair> {
  const bugs: unknown[] = [];
  const world: StreamWorld = { buffers: new BufferPool(), tick() {}, onBug: (error) => bugs.push(error) };
  const options = { cert: CERTIFICATE, key: KEY, allowHalfOpen: true };
  const server = createServer(options);
  const accepted = new Promise<TLSSocket>((resolve) => server.once("secureConnection", resolve));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const tls = {
    verify: true,
    ca: CERTIFICATE,
    clientCertificate: null,
    alpn: [],
    minVersion: "1.2",
  } as const;
  const stream = await new Promise<Stream>((onOpen, onFailed) =>
    new TlsDialer(world, tls).dial("127.0.0.1", port, { onOpen, onFailed }, "app.internal")
  );
  const peer = new SocketPeer(await accepted);
  return {
    stream,
    peer,
    buffers: world.buffers,
    until,
    pass: () => new Promise((resolve) => setTimeout(resolve, 20)),
    close: async () => {
      peer.socket.destroy();
      await until(() => peer.closed);
      await new Promise((resolve) => server.close(resolve));
      assertEquals(bugs, []);
    },
  };
}

streamContract("TlsSocketStream", open);
