/** A server on raw sockets that does what a real one would not do on purpose, and knows how many clients it has. */

const encoder = new TextEncoder();

export class RawServer implements AsyncDisposable {
  /** Connections open now, and since the start. */
  open = 0;
  accepted = 0;
  /** Most connections open at the same time. */
  most = 0;
  readonly #listener: Deno.TcpListener;
  readonly #conns = new Set<Deno.TcpConn>();
  readonly #serving: Promise<void>;

  /** The connection is closed when `serve` is through with it, or throws. */
  constructor(serve: (conn: Deno.TcpConn) => Promise<void>, at: { hostname?: string; port?: number } = {}) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0, ...at });
    this.#serving = this.#accept(serve);
  }

  /** An answer with a body of its own length, on a connection that stays. */
  static async answer(conn: Deno.Conn, body: string): Promise<void> {
    await RawServer.send(conn, `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  }

  static async send(conn: Deno.Conn, text: string): Promise<void> {
    const bytes = encoder.encode(text);
    let sent = 0;
    while (sent < bytes.length) sent += await conn.write(bytes.subarray(sent));
  }

  /** Reads on until the other side ends. */
  static async untilGone(conn: Deno.Conn): Promise<void> {
    const bytes = new Uint8Array(64 * 1024);
    while (await conn.read(bytes) !== null);
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) close(conn);
    await this.#serving;
  }

  async #accept(serve: (conn: Deno.TcpConn) => Promise<void>): Promise<void> {
    const running: Promise<void>[] = [];
    try {
      for await (const conn of this.#listener) running.push(this.#serve(conn, serve));
    } catch {
      // Closed.
    }
    await Promise.all(running);
  }

  async #serve(conn: Deno.TcpConn, serve: (conn: Deno.TcpConn) => Promise<void>): Promise<void> {
    this.#conns.add(conn);
    this.accepted++;
    this.most = Math.max(this.most, ++this.open);
    try {
      conn.setNoDelay(true);
      await serve(conn);
    } catch {
      // The other side is gone, or we are.
    }
    this.#conns.delete(conn);
    close(conn);
    this.open--;
  }
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // Closed already.
  }
}
