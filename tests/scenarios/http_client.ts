/**
 * A client of HTTP/1.1 of our own: it counts every request that was not answered as it should be, and repeats none.
 *
 * Bodies need a Content-Length. A client that repeats requests by itself (fetch does) would hide failures.
 */
import { Buffered } from "./buffered.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface Reply {
  readonly status: number;
  /** Status line and fields, as they came. */
  readonly head: string;
  readonly body: string;
}

/** The connection ended without a byte of an answer: the request may never have been read (RFC 9112 section 9.3.1). */
export class Unanswered extends Error {}

export class HttpConnection implements Disposable {
  readonly #input: Buffered;

  private constructor(readonly conn: Deno.TcpConn) {
    conn.setNoDelay(true);
    this.#input = new Buffered(conn);
  }

  static async connect(port: number, hostname = "127.0.0.1"): Promise<HttpConnection> {
    return new HttpConnection(await Deno.connect({ hostname, port }));
  }

  /** One request. Rejects when there is no whole answer. */
  async request(
    path: string,
    options: { method?: string; body?: string; host?: string } = {},
  ): Promise<Reply> {
    const { method = "GET", body = "", host = "localhost" } = options;
    const length = body === "" && method === "GET" ? "" : `Content-Length: ${body.length}\r\n`;
    return await this.exchange(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${length}\r\n${body}`);
  }

  /** Sends a request as it is and reads one answer. */
  async exchange(text: string): Promise<Reply> {
    // What matters is whether an answer comes.
    await this.send(text).catch(() => {});
    return await this.answer();
  }

  async send(text: string): Promise<void> {
    const bytes = encoder.encode(text);
    let sent = 0;
    while (sent < bytes.length) sent += await this.conn.write(bytes.subarray(sent));
  }

  async answer(): Promise<Reply> {
    const head = await this.#input.through("\r\n\r\n").catch((error) => {
      throw this.#input.empty ? new Unanswered((error as Error).message) : error;
    });
    const length = Number(/^content-length: *(\d+)/mi.exec(head)?.[1] ?? 0);
    return {
      status: Number(head.slice(9, 12)),
      head,
      body: decoder.decode(await this.#input.exactly(length)),
    };
  }

  [Symbol.dispose](): void {
    try {
      this.conn.close();
    } catch {
      // Closed already.
    }
  }
}

/** One request on a connection of its own. */
export async function get(port: number, path = "/", host = "localhost"): Promise<Reply> {
  using connection = await HttpConnection.connect(port);
  return await connection.request(path, { host });
}
