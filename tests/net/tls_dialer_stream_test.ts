/** The streams over TLS keep the contract of the seam, with a server of `node:tls` as the far end. */
import { Buffer } from "node:buffer";
import type { AddressInfo } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { BufferPool } from "../../mod/net/buffers.ts";
import { DenoDialer, type StreamWorld } from "../../mod/net/deno_io.ts";
import type { Stream } from "../../mod/net/stream.ts";
import { TlsDialer } from "../../mod/net/tls_dialer.ts";
import { makeTlsEngine, newTicketKeys } from "../../mod/net/tls_engine_io.ts";
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

/** Between the two, as a far end of `node:tls` reads on while it is paused, and so never has anything to reset for. */
class Relay {
  #reading = true;
  #near: Deno.TcpConn | null = null;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly done: Promise<void>;

  constructor(port: number) {
    this.done = this.#run(port);
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Whether it takes more of what comes. */
  reading(on: boolean): void {
    this.#reading = on;
  }

  /** With bytes that nobody has read this is a reset. */
  cut(): void {
    this.#near?.close();
    this.#near = null;
  }

  async #run(port: number): Promise<void> {
    const near = this.#near = await this.#listener.accept();
    this.#listener.close();
    const far = await Deno.connect({ hostname: "127.0.0.1", port });
    await Promise.all([this.#pump(near, far), this.#pump(far, near)]);
    far.close();
    this.cut();
  }

  async #pump(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (;;) {
        const size = await from.read(buffer);
        if (size === null) break;
        for (let at = 0; at < size;) at += await to.write(buffer.subarray(at, size));
        while (!this.#reading && this.#near !== null) await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await to.closeWrite();
    } catch {
      // Cut off: so is the other side.
      to.closeWrite().catch(() => {});
    }
  }
}

class SocketPeer implements StreamPeer {
  gotEnd = false;
  closed = false;
  #pieces: Uint8Array[] = [];

  constructor(readonly socket: TLSSocket, readonly relay: Relay) {
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
    this.relay.cut();
  }

  reading(on: boolean): void {
    this.relay.reading(on);
    if (on) this.socket.resume();
    else this.socket.pause();
  }

  get received(): Uint8Array {
    return Buffer.concat(this.#pieces);
  }
}

async function open(prefer: string): Promise<StreamPair> {
  const bugs: unknown[] = [];
  const world: StreamWorld = { buffers: new BufferPool(), tick() {}, onBug: (error) => bugs.push(error) };
  const options = { cert: CERTIFICATE, key: KEY, allowHalfOpen: true };
  const server = createServer(options);
  const accepted = new Promise<TLSSocket>((resolve) => server.once("secureConnection", resolve));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const relay = new Relay((server.address() as AddressInfo).port);
  const tls = {
    verify: true,
    ca: CERTIFICATE,
    clientCertificate: null,
    alpn: [],
    minVersion: "1.2",
  } as const;
  const engine = makeTlsEngine({ buffers: world.buffers, ticketKeys: newTicketKeys(), prefer });
  const dialer = new TlsDialer(new DenoDialer(world), engine.connector(tls), world.onBug);
  const stream = await new Promise<Stream>((onOpen, onFailed) =>
    dialer.dial("127.0.0.1", relay.port, { onOpen, onFailed }, { name: "app.internal" })
  );
  const peer = new SocketPeer(await accepted, relay);
  return {
    stream,
    peer,
    buffers: world.buffers,
    until,
    pass: () => new Promise((resolve) => setTimeout(resolve, 20)),
    close: async () => {
      peer.socket.destroy();
      await until(() => peer.closed);
      relay.cut();
      await relay.done;
      await new Promise((resolve) => server.close(resolve));
      assertEquals(bugs, []);
    },
  };
}

for (const prefer of ["openssl", "rustls"]) {
  streamContract(`TlsDialer of ${prefer}`, () => open(prefer));
}
