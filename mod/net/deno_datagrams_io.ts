/**
 * UDP sockets of the runtime, where libc cannot be called. It can neither connect one nor bind an address that is not
 * on this machine yet: what others send to a server's socket is passed over, and a refusal is not heard of.
 */
import { plainAddress } from "../http/forwarded.ts";
import type { DatagramHandler, DatagramSocket, Peer } from "./datagrams.ts";

interface DenoPeer extends Peer {
  readonly address: Deno.NetAddr;
}

/** Datagrams that wait to be sent; more are lost. */
const MOST_LEAVING = 256;

export class DenoDatagrams implements DatagramSocket {
  readonly port: number;
  readonly #conn: Deno.DatagramConn;
  readonly #server: Deno.NetAddr | null;
  #closed = false;
  #last: Promise<unknown> = Promise.resolve();
  #leaving = 0;

  private constructor(conn: Deno.DatagramConn, server: Deno.NetAddr | null) {
    this.#conn = conn;
    this.#server = server;
    this.port = (conn.addr as Deno.NetAddr).port;
  }

  static bind(hostname: string, port: number): DenoDatagrams {
    // On Linux the runtime's "address" is what shares a port of UDP.
    return new DenoDatagrams(
      Deno.listenDatagram({ transport: "udp", hostname, port, reuseAddress: true }),
      null,
    );
  }

  static connect(hostname: string, port: number): DenoDatagrams {
    const own = hostname.includes(":") ? "::" : "0.0.0.0";
    const conn = Deno.listenDatagram({ transport: "udp", hostname: own, port: 0 });
    return new DenoDatagrams(conn, { transport: "udp", hostname, port });
  }

  receive(handler: DatagramHandler): void {
    void this.#run(handler);
  }

  send(bytes: Uint8Array, to: Peer | null): boolean {
    const address = to === null ? this.#server! : (to as DenoPeer).address;
    if (this.#leaving >= MOST_LEAVING) return false;
    this.#leaving++;
    // A copy, as it leaves after this call, and behind those before it.
    const copy = bytes.slice();
    this.#last = this.#last.then(() => this.#conn.send(copy, address)).catch(() => {}).finally(() => {
      this.#leaving--;
    });
    return true;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
  }

  async #run(handler: DatagramHandler): Promise<void> {
    while (!this.#closed) {
      try {
        const [bytes, from] = await this.#conn.receive();
        const address = from as Deno.NetAddr;
        const { hostname, port } = address;
        if (this.#closed || !this.#isHeard(hostname, port)) continue;
        const peer: DenoPeer = { key: `${hostname} ${port}`, host: plainAddress(hostname), port, address };
        handler.onDatagram(bytes, peer);
      } catch (error) {
        if (!this.#closed) handler.onProblem(error instanceof Error ? error : new Error(String(error)));
      }
    }
  }

  #isHeard(hostname: string, port: number): boolean {
    return this.#server === null || this.#server.hostname === hostname && this.#server.port === port;
  }
}
